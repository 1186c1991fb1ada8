"""uncertainty: the pool texts the student is least sure of (smallest margin), labelled by the teacher.

Active learning's plainest strategy (Scheffer et al. 2001); of 512 random texts of the pool, so that it stays quick.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "pool texts the student is least sure of, labelled by the teacher",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "selftrain"),
    settings={"batch": {"pool_policy": "uncertainty"}},
)

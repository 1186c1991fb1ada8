"""pool_random: random texts of the pool, labelled by the teacher; as many in a batch as evokd has in all.

The control that is hard to beat.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "random pool texts labelled by the teacher",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "selftrain"),
    settings={"batch": {"pool_policy": "random"}},
)

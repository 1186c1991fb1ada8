"""longest: the longest of 512 random pool texts, labelled by the teacher. The control of every selection by score.

A rule that prefers rich texts may only prefer long ones (arXiv 2512.20908 compares with it).
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "the longest pool texts, labelled by the teacher",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "selftrain"),
    settings={"batch": {"pool_policy": "longest"}},
)

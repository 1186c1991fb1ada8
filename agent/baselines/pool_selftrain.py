"""pool_selftrain: pool_random, and at the end the student learns its own labels of the rest of the pool, as evokd does.

The control that tells how much of a lead is self-training, which costs no teacher token, and how much the loop.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "random pool texts labelled by the teacher, then self-training",
    without=(*OURS, "analyze", "generate", "score", "evaluate"),
    settings={"batch": {"pool_policy": "random"}},
    of_labels="this control is of one label a text; of entities `--without selftrain` tells the same of evokd",
)

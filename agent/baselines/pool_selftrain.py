"""pool_selftrain: pool_random, and at the end the student learns its own labels of the rest of the pool, as evokd does.

The control that tells how much of a lead is self-training, which costs no teacher token, and how much the loop.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "random pool texts labelled by the teacher, then self-training",
    without=(*OURS, "analyze", "generate", "score", "evaluate"),
    settings={"batch": {"pool_policy": "random"}},
    of_labels="self-training is left out where more than a label is asked",
)

"""evokd_init: evokd_literal whose first batch is the seed examples rephrased (EvoKD + Init: begun with AugGPT data).

Paper: arXiv 2403.06414. Differs as evokd_literal and auggpt do.
"""

from agent.baselines.strategy import Strategy, Writing

STRATEGY = Strategy(
    "EvoKD as its figure has it, begun with rephrased seed examples",
    without=("score", "sample", "selftrain"),
    settings={
        "batch": {"hard": 10, "easy": 10, "surplus": 1.0},
        "student": {"soft_labels": False},
        "teacher": {"calibrate": False},
    },
    writing=Writing(first="rephrase", seeds=False, attributes=False),
)

"""seed_only: the student trains on the seed examples and nothing else. No teacher."""

from agent.baselines.strategy import Strategy

STRATEGY = Strategy(
    "the seed examples alone",
    without=(
        "names",
        "shortlist",
        "reconcile",
        "analyze",
        "generate",
        "score",
        "evaluate",
        "sample",
        "review",
        "selftrain",
    ),
    settings={"iterations": 0},
)

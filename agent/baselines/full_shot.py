"""full_shot: up to 2,500 pool texts (`batch.pool`) with the gold labels of the data. No teacher; the other ceiling."""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "gold labels of the data",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "selftrain"),
    settings={"iterations": 1, "batch": {"pool": 2500, "pool_policy": "random"}},
    labels="gold",
)

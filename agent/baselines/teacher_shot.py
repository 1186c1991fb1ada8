"""teacher_shot: up to 2,500 pool texts (`batch.pool`), all labelled by the teacher: this teacher's ceiling."""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "the ceiling of this teacher: all pool texts labelled",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "selftrain"),
    settings={
        "iterations": 1,
        "batch": {"pool": 2500, "pool_policy": "random"},
        "budget": {"tokens": None, "cost": None, "calls": None, "minutes": None},
    },
)

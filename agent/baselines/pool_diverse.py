"""pool_diverse: pool texts that stand for many others, labelled by the teacher: what evokd takes of the pool, alone.

Diverse mini-batch active learning (Zhdanov, arXiv 1901.05954): the text nearest to the centre of each k-means cluster
of the base model's embeddings, from the second batch on weighted by the student's doubt.
"""

from agent.baselines.strategy import Strategy

STRATEGY = Strategy(
    "pool texts that stand for many others, labelled by the teacher",
    without=("analyze", "generate", "score", "evaluate", "selftrain"),
    settings={"batch": {"pool": 56, "pool_policy": "diverse"}},
)

"""pool_diverse: pool texts that stand for many others and cost little, labelled by the teacher: evokd's, alone.

Diverse mini-batch active learning (Zhdanov, arXiv 1901.05954): the text nearest to the centre of each k-means cluster
of the base model's embeddings, a text weighing the more the less its label costs.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "pool texts that stand for many others, labelled by the teacher",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "selftrain"),
    settings={"batch": {"pool_policy": "diverse"}},
)

"""auggpt: the seed examples said in other words by the teacher; each keeps its label (AugGPT, arXiv 2302.13007).

Differs: cross-entropy alone, without the paper's contrastive term; rephrasings that nearly repeat a seed or each other
are dropped and counted.
"""

from agent.baselines.strategy import OURS, Strategy, Writing

STRATEGY = Strategy(
    "the seed examples rephrased",
    without=(*OURS, "analyze", "score", "evaluate", "sample", "separation", "selftrain"),
    settings={"batch": {"surplus": 1.0}},
    kinds=("plain",),
    writing=Writing(prompt="rephrase", attributes=False),
)

"""static: label- and attribute-conditioned generation that never looks at the student (as ZeroGen, AttrPrompt).

Texts keep the label they were written for. The turns of the loop only give the curve its points.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "generated texts, no feedback from the student",
    without=(*OURS, "analyze", "score", "evaluate", "sample", "separation", "selftrain"),
    settings={"batch": {"surplus": 1.0}},
    kinds=("plain",),
)

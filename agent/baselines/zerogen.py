"""zerogen: texts written for a label from its name alone, which they keep (ZeroGen, arXiv 2202.07922).

Differs: the teacher is a chat model, so the prompt asks for several texts a call instead of continuing one; no seed
example is shown, but the student still trains on the seeds too; LoRA encoder in place of LSTM or DistilBERT.
"""

from agent.baselines.strategy import OURS, Strategy, Writing

STRATEGY = Strategy(
    "texts generated from the label's name alone",
    without=(*OURS, "analyze", "score", "evaluate", "sample", "separation", "selftrain"),
    settings={"batch": {"surplus": 1.0}},
    kinds=("plain",),
    writing=Writing(seeds="never", attributes=False),
)

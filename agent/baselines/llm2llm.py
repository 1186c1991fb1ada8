"""llm2llm: only the seed examples that the student gets wrong are augmented (LLM2LLM, arXiv 2403.15042).

Train on the seeds and all that was written; examine the student on the *seed* examples; the teacher writes texts like
those it missed, which keep their label. Texts are written from seed examples alone, never from written ones. Ends
when it misses none, which with few shots is soon. Differs: as many texts of a missed example as one call holds (the
paper: one, of thousands of examples), and in the first iteration every seed example counts as missed.
"""

from agent.baselines.strategy import OURS, Strategy, Writing

STRATEGY = Strategy(
    "seed examples that the student misses, rephrased",
    without=(*OURS, "analyze", "score", "sample", "separation", "selftrain"),
    kinds=("plain",),
    writing=Writing(prompt="rephrase", attributes=False, missed=True),
)

"""evokd_init: evokd_literal whose first batch is the seed examples rephrased (EvoKD + Init: begun with AugGPT data).

Paper: arXiv 2403.06414. Differs as evokd_literal and auggpt do.
"""

from dataclasses import replace

from agent.baselines import evokd_literal

STRATEGY = replace(
    evokd_literal.STRATEGY,
    gloss="EvoKD as its figure has it, begun with rephrased seed examples",
    writing=replace(evokd_literal.STRATEGY.writing, first="rephrase"),
)

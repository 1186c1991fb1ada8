"""sungen: zerogen, with weights learned so that wrong labels count less (SunGen, arXiv 2205.12679).

The weights are learned anew in each iteration on all that was generated. Differs: as `robust_weights` in
agent/valuation.py says, and as zerogen does; every example stays, with its weight in the loss, where the paper draws a
subset by the weights.
"""

from dataclasses import replace

from agent.baselines import zerogen

STRATEGY = replace(
    zerogen.STRATEGY,
    gloss="zerogen with weights learned to bear wrong labels",
    weighing=True,
    of_labels="its weights are learned from one label a text",
)

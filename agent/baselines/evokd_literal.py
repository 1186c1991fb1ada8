"""evokd_literal: the loop as EvoKD's paper draws it (arXiv 2403.06414), without what we added.

Train on the seeds; examine the student on the batch before training on it; summarise its mistakes from wrong and
correct examples; in the same conversation write hard and easy texts; label them apart; train. No pool, no choice
among candidates, no soft labels, no attributes. Differs: a generating call is of one label and of hard or easy texts
alone (several labels in one call were mixed up, and the word "easy" came back in the texts), the first batch is easy
texts alone, near repetitions are dropped, and the student is trained anew on all of the history: the paper's schedule
is not known to us.
"""

from agent.baselines.strategy import OURS, Strategy, Writing

STRATEGY = Strategy(
    "EvoKD as its figure has it",
    without=(*OURS, "agreement", "score", "sample", "selftrain"),
    settings={
        "batch": {"hard": 10, "easy": 10, "pool": 0, "surplus": 1.0},
        "student": {"soft_labels": False},
        "teacher": {"calibrate": False},
    },
    apart=("hard", "easy"),
    writing=Writing(seeds="never", attributes=False, aimed=False),
)

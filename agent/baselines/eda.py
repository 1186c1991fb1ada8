"""eda: easy data augmentation of the seed examples, word by word and without a teacher (EDA, arXiv 1901.11196).

Synonym replacement, random insertion, random swap and random deletion, of one word in twenty and at least one (α =
0.05), 16 new texts of each seed example, as its authors recommend for small sets. Differs: WordNet is English and a
download, so a synonym is one of the nearest words in the student's own input embedding, and words of fewer than 4
letters stand for the list of stop words.
"""

from agent.baselines.strategy import OURS, Strategy

STRATEGY = Strategy(
    "the seed examples with words replaced, inserted, swapped and deleted",
    without=(*OURS, "analyze", "generate", "score", "evaluate", "sample", "selftrain"),
    settings={"iterations": 1},
    labels="eda",
    of_labels="changed words would no longer be those that the rest of the answer is about",
)

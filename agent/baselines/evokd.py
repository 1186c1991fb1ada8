"""evokd: the whole loop. Analyse, generate hard and easy, label apart, score, examine, replay, train.

EvoKD (arXiv 2403.06414) with these differences, most of them left out by one word: candidates in surplus are chosen by
divergence (`--without score`); a batch is real texts of the task's pool where it has one (`--without sample`; with
written ones among them: `--set batch.hard=4`), those that stand for many others and cost little (`--set
batch.pool_policy=random` takes any); a hard text is to read at first like the label that the student takes such texts
for, and no seed example is shown where the label's name says what to write; once the student had most of such texts
right before it learned them, easy ones, which need no analysis, take their places (`--without hardness`); the label a
text was written for counts beside its separate one as far as the two agree, and the fewer agree the fewer are written
(`--without agreement`); easy texts of a teacher that is proven to agree are not labelled apart; the student learns the
teacher's label distribution (`--set student.soft_labels=false`), begins with the labels' names, is asked for a second
opinion of each label and, where all texts are written, averaged with the student before them; at the end it labels the
rest of the pool for itself (`--without names`, `reconcile`, `average`, `selftrain`).
"""

from agent.baselines.strategy import Strategy, Writing

STRATEGY = Strategy("the whole loop", writing=Writing(seeds="needed"))

"""evokd: the whole loop. Analyse, generate hard and easy, label apart, score, examine, replay, train.

EvoKD (arXiv 2403.06414) with these differences, all but one left out by one word: candidates in surplus are chosen by
divergence (`--without score`), a batch is real texts of the task's pool where it has one (`--without sample`; with
written ones among them: `--set batch.hard=4`), those that stand for many others and cost little (`--set
batch.pool_policy=random` takes any), a text whose separate label is not the intended one is dropped and the fewer
agree the fewer are written (`--without agreement`), easy texts of a teacher that is proven to agree are not labelled
apart, the student learns the teacher's label distribution (`--set student.soft_labels=false`), and at the end it
labels the rest of the pool for itself (`--without selftrain`).
"""

from agent.baselines.strategy import Strategy

STRATEGY = Strategy("the whole loop")

"""evokd: the whole loop. Analyse, generate hard and easy, label apart, score, examine, replay, train.

EvoKD (arXiv 2403.06414) with three differences, each left out by one word: candidates in surplus are chosen by
divergence (`--without score`), part of a batch are real texts of the task's pool where it has one
(`--without sample`), and the student learns the teacher's label distribution (`--set student.soft_labels=false`).
"""

from agent.baselines.strategy import Strategy

STRATEGY = Strategy("the whole loop")

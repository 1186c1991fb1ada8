"""Claim: which of the pool's texts to have labelled, at equal cost of their labels.

    python -m benchmarks.selection RUN... [--characters 40000] [--draws 10]

RUN: folders of `teacher_shot`, which had all of their pool labelled. The student is stood in for by a logistic
regression on the base model's embeddings, trained anew on what each policy buys: minutes in place of days, many draws
in place of three seeds. A third of the pool, another one in each draw, is held out to measure on by its gold labels.
The cost of a label is the characters of its prompt, so about four times its tokens. Prints a row a policy.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from agent.config import read_recipe, resolve
from agent.example import read_examples
from agent.rundir import RunDir
from agent.selection import least_sure, margin, spread
from agent.student.opening import open_student
from agent.teacher.labelling import label_request
from agent.weights import fetch
from tasks.data import text_key
from tasks.task import load_task

ROUNDS = 3
"""Of a loop: what is bought in one trains the student that chooses in the next."""
LENIENCE = 0.02
"""Share of the budget by which a choice may miss it."""


@dataclass(frozen=True)
class Pool:
    """The labelled pool of one run, N texts of L labels."""

    features: NDArray[np.float64]
    """(N, H)"""
    soft: NDArray[np.float64]
    """(N, L): the teacher's distributions."""
    gold: NDArray[np.int64]
    cost: NDArray[np.float64]
    """(N,) characters of the prompt that asks for the label."""


Policy = Callable[[Pool, NDArray[np.int64], float, int], NDArray[np.int64]]
"""(pool, free rows in a drawn order, budget, seed) → the rows that are bought."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--characters", type=float, default=40_000)
    parser.add_argument("--draws", type=int, default=10)
    given = parser.parse_args()
    for root in given.runs:
        pool = read(RunDir(root))
        right = 100 * np.mean(pool.soft.argmax(axis=1) == pool.gold)
        print(f"\n{root.name}: {len(pool.gold)} texts, {right:.1f} % of the teacher's labels right\n")
        print("| policy | texts | teacher right, % | macro-F1 |\n|---|---|---|---|")
        for name, policy in POLICIES.items():
            print(row(name, [trial(pool, policy, given.characters, draw) for draw in range(given.draws)]), flush=True)


def read(run: RunDir) -> Pool:
    """What the run's teacher said of each text, and what is true."""
    config = resolve(read_recipe(run.config))
    task = load_task(config.task)
    labels = list(task.labels)
    gold = {text_key(one.text): str(one.label) for one in task.pool if one.label is not None}
    rows = [one for one in read_examples(run.iteration(1).candidates) if text_key(one.text) in gold]
    student = open_student(config.student, labels, fetch(config.student.model))
    prompts = [label_request(task, one.text[: config.teacher.longest_text], logprobs=True).messages for one in rows]
    return Pool(
        features=student.embed([one.text for one in rows]),
        soft=np.array([one.target(labels, soft=True) for one in rows]),
        gold=np.array([labels.index(gold[text_key(one.text)]) for one in rows]),
        cost=np.array([sum(len(part) for _, part in messages) for messages in prompts], dtype=np.float64),
    )


def trial(pool: Pool, policy: Policy, budget: float, draw: int) -> tuple[int, float, float]:
    """(texts bought, share of their labels that are right, macro-F1 on what was held out)."""
    order = np.random.default_rng(draw).permutation(len(pool.gold))
    held, free = order[: len(order) // 3], order[len(order) // 3 :]
    bought = policy(pool, free, budget, draw)
    said = learned(pool, bought).predict(pool.features[held])
    right = np.mean(pool.soft[bought].argmax(axis=1) == pool.gold[bought])
    return len(bought), float(right), float(f1_score(pool.gold[held], said, average="macro"))


def learned(pool: Pool, rows: NDArray[np.int64]) -> LogisticRegression:
    """Trained on soft labels: each text once a label, weighing as much as that label's probability."""
    count, labels = len(rows), pool.soft.shape[1]
    weights = pool.soft[rows].reshape(-1) + 1e-6  # so that every label occurs
    model = LogisticRegression(C=10, max_iter=300)
    return model.fit(pool.features[rows].repeat(labels, axis=0), np.tile(range(labels), count), weights)


def at_random(pool: Pool, free: NDArray[np.int64], budget: float, seed: int) -> NDArray[np.int64]:
    return free[pool.cost[free].cumsum() <= budget]


def doubtful(pool: Pool, free: NDArray[np.int64], budget: float, seed: int) -> NDArray[np.int64]:
    bought = at_random(pool, free, budget / ROUNDS, seed)
    for _ in range(1, ROUNDS):
        rest = np.setdiff1d(free, bought)
        ranked = rest[least_sure(learned(pool, bought).predict_proba(pool.features[rest]), len(rest))]
        bought = np.concatenate([bought, at_random(pool, ranked, budget / ROUNDS, seed)])
    return bought


def spread_by(cheap: bool, doubt: bool) -> Policy:
    """k-means (selection.spread), weighted or not; in rounds where the student's doubt weighs."""

    def policy(pool: Pool, free: NDArray[np.int64], budget: float, seed: int) -> NDArray[np.int64]:
        weights = 1 / pool.cost if cheap else np.ones(len(pool.cost))
        if not doubt:
            return filled(pool, free, weights, budget, seed)
        bought = filled(pool, free, weights, budget / ROUNDS, seed)
        for turn in range(1, ROUNDS):
            rest = np.setdiff1d(free, bought)
            unsure = weights * (1 - margin(learned(pool, bought).predict_proba(pool.features)))
            bought = np.concatenate([bought, filled(pool, rest, unsure, budget / ROUNDS, seed + 1000 * turn)])
        return bought

    return policy


def filled(
    pool: Pool, free: NDArray[np.int64], weights: NDArray[np.float64], budget: float, seed: int
) -> NDArray[np.int64]:
    """As many clusters as the budget pays for, found by trying."""
    count = max(1, int(budget / pool.cost[free].mean()))
    for _ in range(8):
        chosen = free[spread(pool.features[free], weights[free], count, seed)]
        cost = float(pool.cost[chosen].sum())
        if abs(cost - budget) <= LENIENCE * budget or count >= len(free):
            break
        count = max(1, round(count * budget / cost))
    return chosen


def row(name: str, trials: list[tuple[int, float, float]]) -> str:
    texts, right, scores = (list(column) for column in zip(*trials, strict=True))
    score = f"{100 * statistics.mean(scores):.1f} ± {100 * statistics.stdev(scores):.1f}"
    return f"| {name} | {statistics.mean(texts):.0f} | {100 * statistics.mean(right):.1f} | {score} |"


POLICIES: dict[str, Policy] = {
    "random": at_random,
    "uncertainty": doubtful,
    "k-means": spread_by(cheap=False, doubt=False),
    "k-means, doubt": spread_by(cheap=False, doubt=True),
    "k-means, cheap (`diverse`)": spread_by(cheap=True, doubt=False),
    "k-means, cheap, doubt": spread_by(cheap=True, doubt=True),
}

if __name__ == "__main__":
    main()

"""Which examples are kept by what DAS says of their sentences; `random` and `longest` are the controls. Pure functions.

`count` (arXiv 2512.20908): of several candidates for one prompt the one with the most teacher sentences. A longer text
has more of every class, and in the paper `longest` comes within a point of `count` (57.9, 58.7; random 56.2): so here
length is controlled for, and what `count` gains is not length. `ratio` keeps by the share of teacher sentences.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low

import numpy as np

from agent.das import Rule as Rule
from agent.das.text import Cut
from agent.selection import quotas

RULES: dict[Rule, Cut] = {
    "count": Cut(margin=0.1),
    "ratio": Cut(margin=0.2, sure=0.6),
    "random": Cut(margin=0.1),
    "longest": Cut(margin=0.1),
}
"""Each rule with what it calls a teacher sentence."""
SHARE = 0.3
"""`ratio` keeps an example with a larger share of teacher sentences."""
BAND = 1.25
"""`count` compares candidates whose length is within this factor of their prompt's median one."""
STRATUM = 10
"""Examples of like length that are compared with one another, about, where a fraction is kept by `count`."""

OTHER, LENGTH, FEW, REST = "another_candidate", "outside_length_band", "too_few_teacher_sentences", "not_among_the_best"


@dataclass(frozen=True)
class Candidate:
    """One example to a rule."""

    prompt: str
    """Candidates for one prompt have the same."""
    length: int
    """In characters."""
    teacher: int
    """Sentences that are the teacher's, of `sentences`."""
    sentences: int
    """Those that both models could score."""

    @property
    def ratio(self) -> float:
        return self.teacher / self.sentences


def choose(
    rule: Rule, candidates: Sequence[Candidate], keep: float | None, share: float, random: np.random.Generator
) -> list[str | None]:
    """Why each candidate is not kept, None for those that are.

    `count`, `random` and `longest` keep one candidate a prompt; `ratio` those with a share above `share`. With `keep`,
    the fraction `keep` of these that ranks highest by the rule; of `ratio` it takes the place of `share`, which keeps
    all of a weak student's examples and none of a strong one's.
    """
    left: list[str | None] = [None] * len(candidates)
    if rule != "ratio":
        left = _one_a_prompt(rule, candidates, random)
    elif keep is None:
        left = [None if one.ratio > share else FEW for one in candidates]
    if keep is not None:
        chosen = [i for i, reason in enumerate(left) if reason is None]
        best = _best(rule, candidates, chosen, round(keep * len(chosen)) or min(1, len(chosen)), random)
        for i in set(chosen) - best:
            left[i] = REST
    return left


def in_band(lengths: Sequence[int]) -> list[bool]:
    """Which lengths are within BAND of the median (the lower one of two): the median at least is."""
    middle = median_low(lengths)
    return [middle / BAND <= length <= middle * BAND for length in lengths]


def _one_a_prompt(rule: Rule, candidates: Sequence[Candidate], random: np.random.Generator) -> list[str | None]:
    """The candidate of each prompt that `rule` takes; of equals `count` takes the shorter, `longest` the first."""
    left: list[str | None] = [OTHER] * len(candidates)
    by_prompt: dict[str, list[int]] = defaultdict(list)
    for i, one in enumerate(candidates):
        by_prompt[one.prompt].append(i)
    for places in by_prompt.values():
        if rule == "random":
            left[places[int(random.integers(len(places)))]] = None
        elif rule == "longest":
            left[max(places, key=lambda i: candidates[i].length)] = None
        else:
            fits = in_band([candidates[i].length for i in places])
            for i, inside in zip(places, fits, strict=True):
                left[i] = OTHER if inside else LENGTH
            inside_band = [i for i, inside in zip(places, fits, strict=True) if inside]
            left[max(inside_band, key=lambda i: (candidates[i].teacher, -candidates[i].length))] = None
    return left


def _best(
    rule: Rule, candidates: Sequence[Candidate], chosen: Sequence[int], total: int, random: np.random.Generator
) -> set[int]:
    """The `total` of `chosen` that rank highest. `count` ranks among examples of like length (strata), each of which
    keeps its part, so that what is kept is as long as what was there."""
    if rule == "random":
        return {int(i) for i in random.permutation(chosen)[:total]}
    if rule == "longest":
        return set(sorted(chosen, key=lambda i: -candidates[i].length)[:total])
    if rule == "ratio":
        return set(sorted(chosen, key=lambda i: (-candidates[i].ratio, candidates[i].length))[:total])
    by_length = sorted(chosen, key=lambda i: candidates[i].length)
    strata = np.array_split(np.array(by_length, dtype=np.intp), max(1, math.ceil(len(chosen) / STRATUM)))
    places = quotas({str(number): len(stratum) for number, stratum in enumerate(strata)}, total)
    return {
        int(i)
        for number, stratum in enumerate(strata)
        for i in sorted(stratum, key=lambda i: (-candidates[i].teacher, candidates[i].length))[: places[str(number)]]
    }

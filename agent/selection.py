"""Which texts are taken: quotas over labels, near-duplicates, the best candidates. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from tasks.data import text_key


def quotas(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` places shared among the keys in proportion to their weights (largest remainder).

    Every key with a positive weight gets at least one place where there are enough. Ties go to the earlier key.
    """
    names = list(weights)
    values = np.array([weights[name] for name in names], dtype=np.float64)
    if total <= 0 or not np.any(values > 0):
        return dict.fromkeys(names, 0)
    shares = values / values.sum() * total
    places = np.floor(shares).astype(int)
    for i in np.argsort(-(shares - places), kind="stable")[: total - int(places.sum())]:
        places[i] += 1
    while total >= np.count_nonzero(values > 0) and np.any((places == 0) & (values > 0)):
        places[int(np.flatnonzero((places == 0) & (values > 0))[0])] += 1
        places[int(np.argmax(places))] -= 1
    return {name: int(places[i]) for i, name in enumerate(names)}


def need(counts: Mapping[str, int], accuracy: Mapping[str, float | None]) -> dict[str, float]:
    """How much each label needs new examples: more where it is rare so far and where the student fails.

    EvoKD makes more examples for the classes with the lowest F1; here that is 1.5 − accuracy on the last
    batches (1 where nothing is known), times how far the label's count is below the mean count.
    """
    mean = sum(counts.values()) / max(1, len(counts))
    weights = {}
    for label, known in accuracy.items():
        rarity = (mean + 1) / (counts.get(label, 0) + 1)
        weights[label] = (1.0 if known is None else 1.5 - known) * float(np.clip(rarity, 0.5, 2.0))
    return weights


def near_duplicate(text: str, others: Sequence[str], threshold: float = 90.0) -> str | None:
    """The first of `others` that is `text` but for case, order or a few words, or None.

    Token-sort ratio of rapidfuzz, 0 to 100, on texts folded to lower case.
    """
    folded = " ".join(text.casefold().split())
    found = process.extractOne(
        folded,
        [" ".join(other.casefold().split()) for other in others],
        scorer=fuzz.token_sort_ratio,
        score_cutoff=threshold,
    )
    return None if found is None else others[found[2]]


def fresh(
    texts: Sequence[str], seen: Sequence[str], seeds: Sequence[str]
) -> tuple[list[int], dict[int, tuple[str, str]]]:
    """Indices of the texts that are new, and for the others the reason and the text they repeat.

    Reasons: "copy_of_seed", "duplicate" (equal but for case and space), "near_duplicate".
    """
    kept: list[int] = []
    dropped: dict[int, tuple[str, str]] = {}
    accepted = list(seen)
    keys = {text_key(text): text for text in accepted}
    for index, text in enumerate(texts):
        if (seed := near_duplicate(text, seeds)) is not None:
            dropped[index] = ("copy_of_seed", seed)
        elif (same := keys.get(text_key(text))) is not None:
            dropped[index] = ("duplicate", same)
        elif (like := near_duplicate(text, accepted)) is not None:
            dropped[index] = ("near_duplicate", like)
        else:
            kept.append(index)
            accepted.append(text)
            keys[text_key(text)] = text
    return kept, dropped


def top_by_score(scores: Sequence[float], groups: Sequence[str], places: Mapping[str, int]) -> list[int]:
    """Indices (ascending) of the `places[group]` highest scores of each group; groups without places keep all."""
    chosen: list[int] = []
    for group in dict.fromkeys(groups):
        mine = [i for i, name in enumerate(groups) if name == group]
        mine.sort(key=lambda i: (-scores[i], i))
        chosen += mine[: places[group]] if group in places else mine
    return sorted(chosen)


def filled(places: Mapping[str, int], there: Mapping[str, int]) -> dict[str, int]:
    """`places` of each group, those that a group cannot fill given to the groups that have more to offer."""
    result = {group: min(count, there.get(group, 0)) for group, count in places.items()}
    free = sum(places.values()) - sum(result.values())
    for group in places:
        more = min(free, there.get(group, 0) - result[group])
        result[group] += more
        free -= more
    return result


def surest(sure: NDArray[np.float64], groups: Sequence[object], share: float) -> list[int]:
    """Indices (ascending) of the `share` of N rows with the highest of `sure` (N,) among those of the same group (its
    first label, say), so that what the student finds hard is not left out; at least one of each group."""
    ranked = sorted(range(len(groups)), key=lambda i: -sure[i])
    chosen: list[int] = []
    for group in dict.fromkeys(groups):
        mine = [i for i in ranked if groups[i] == group]
        chosen += mine[: max(1, round(share * len(mine)))]
    return sorted(chosen)


def least_sure(probabilities: NDArray[np.float64], count: int) -> list[int]:
    """Indices of the `count` rows of (N, L) with the smallest margin between first and second label."""
    if probabilities.shape[0] == 0:
        return []
    return [int(i) for i in np.argsort(margin(probabilities), kind="stable")[:count]]


def margin(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,) of (N, L): how far the first label is ahead of the second, 0 to 1."""
    ranked = np.sort(probabilities, axis=1)
    return np.asarray(ranked[:, -1] - ranked[:, -2])


def spread(features: NDArray[np.float64], weights: NDArray[np.float64], count: int, seed: int) -> list[int]:
    """Indices (ascending) of up to `count` rows of (N, H) that stand for all: of each k-means cluster the one nearest
    to its centre, rows with a higher weight (N,) drawing the centres to them.

    Diverse mini-batch active learning (Zhdanov, arXiv 1901.05954), without its first choice of the most informative.
    """
    if count >= len(features):
        return list(range(len(features)))
    if count <= 0:
        return []
    shares = weights / max(float(weights.mean()), 1e-12) + 1e-6  # none is 0
    with threadpool_limits(limits=1), catch_warnings():  # sums in one order: a resumed run chooses the same
        simplefilter("ignore", ConvergenceWarning)  # fewer different rows than clusters: fewer are chosen
        means = KMeans(count, n_init=1, max_iter=50, random_state=seed).fit(features, sample_weight=shares)
        distances = means.transform(features)  # (N, count)
    chosen = []
    for cluster in range(count):
        mine = np.flatnonzero(means.labels_ == cluster)
        if mine.size:
            chosen.append(int(mine[distances[mine, cluster].argmin()]))
    return sorted(chosen)

"""Words, tags and entities, on cases worked by hand."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from tasks.spans import certainty, decoded, encoded, in_words, likeliest, likelihood, overlapping, tags, whole, words
from tasks.task import Entity

LABELS = ("person", "place")
TEXT = "Ann Lee left Oslo."
BOTH = (Entity(0, 7, "person"), Entity(13, 17, "place"))


def said(text: str) -> list[str]:
    return [text[start:end] for start, end in words(text)]


def test_a_word_is_a_run_of_letters_one_sign_or_one_character_where_nothing_parts_words() -> None:
    assert said("Don't, U.S. 3D!") == ["Don", "'", "t", ",", "U", ".", "S", ".", "3D", "!"]
    assert said("去北京 ok") == ["去", "北", "京", "ok"]
    assert said("cafe\u0301 😀") == ["cafe\u0301", "😀"]
    assert said(" \n ") == []


def test_entities_become_bio_tags_and_come_back() -> None:
    assert tags(LABELS) == ("O", "B-person", "I-person", "B-place", "I-place")
    assert encoded(TEXT, BOTH, LABELS) == (1, 2, 0, 3, 0)
    assert decoded(TEXT, (1, 2, 0, 3, 0), LABELS) == BOTH
    neighbours = (Entity(0, 3, "person"), Entity(4, 7, "person"))
    assert decoded(TEXT, encoded(TEXT, neighbours, LABELS), LABELS) == neighbours


def test_an_inner_tag_that_goes_on_nothing_begins_an_entity() -> None:
    assert decoded(TEXT, (2, 2, 0, 0, 0), LABELS) == (Entity(0, 7, "person"),)
    assert decoded(TEXT, (1, 4, 0, 0, 0), LABELS) == (Entity(0, 3, "person"), Entity(4, 7, "place"))


def test_the_likeliest_tags_are_those_of_entities() -> None:
    def given(*rows: dict[int, float]) -> np.ndarray:
        result = np.full((len(rows), 5), 0.01)
        for row, known in zip(result, rows, strict=True):
            for tag, probability in known.items():
                row[tag] = probability
        return result

    assert likeliest(given({0: 0.9}, {1: 0.9}, {2: 0.9})) == [0, 1, 2], "as each word alone"
    # alone I, I; as entities B I has 0.4 × 0.5 and O O 0.1 × 0.1
    assert likeliest(given({2: 0.5, 1: 0.4, 0: 0.1}, {2: 0.5, 0: 0.1})) == [1, 2]
    # alone B-person, I-place; B I of person has 0.5 × 0.1, of place 0.3 × 0.8
    assert likeliest(given({1: 0.5, 3: 0.3}, {4: 0.8, 2: 0.1})) == [3, 4]
    assert likeliest(np.full((3, 5), 0.2)) == [0, 0, 0], "nothing is known"
    assert likeliest(np.zeros((0, 5))) == []


@pytest.mark.parametrize("seed", range(20))
def test_of_all_sequences_that_may_be_the_likeliest_is_found(seed: int) -> None:
    given = np.random.default_rng(seed).dirichlet(np.ones(5), size=4)

    def may_be(chosen: tuple[int, ...]) -> bool:
        pairs = zip((0, *chosen), chosen, strict=False)
        return all(now not in (2, 4) or before in (now, now - 1) for before, now in pairs)

    best = max(filter(may_be, product(range(5), repeat=4)), key=lambda c: given[range(4), c].prod())
    assert likeliest(given) == list(best)


def test_borders_are_where_words_end() -> None:
    assert whole(TEXT, 0, 7) and not whole(TEXT, 0, 6) and not whole(TEXT, 1, 7)


def test_the_likelihood_is_over_the_words_in_question() -> None:
    given = np.full((5, 5), 0.0)
    given[[0, 1, 2, 3, 4], [1, 2, 0, 0, 0]] = 0.9  # the student marks Ann Lee alone
    given[3, 3] = 0.1
    given[0, 0] = given[1, 0] = 0.05
    one = likelihood(TEXT, BOTH, given, LABELS)
    assert one == pytest.approx((0.9 * 0.9 * 0.1) ** (1 / 3))
    assert likelihood(TEXT, BOTH[:1], given, LABELS) == pytest.approx(0.9), "its own answer"
    assert likelihood(TEXT, (), given, LABELS) == pytest.approx(0.05), "what it marks and is not there"
    given[:, :] = 0
    given[:, 0] = 0.8
    assert likelihood(TEXT, (), given, LABELS) == pytest.approx(0.8), "all words where none is in question"


def test_how_sure_it_is_of_one_entity() -> None:
    given = np.zeros((5, 5))
    given[0, 1], given[1, 2], given[3, 3] = 0.9, 0.4, 0.7
    assert certainty(TEXT, BOTH[0], given, LABELS) == pytest.approx(0.6)
    assert certainty(TEXT, BOTH[1], given, LABELS) == pytest.approx(0.7)


def test_entities_that_share_a_character_are_found() -> None:
    assert overlapping([Entity(3, 5, "place"), Entity(0, 3, "person")]) is None
    assert overlapping([Entity(2, 5, "place"), Entity(0, 3, "person")]) is not None


def test_entities_in_words() -> None:
    assert in_words(TEXT, BOTH) == "Ann Lee (person), Oslo (place)"
    assert in_words(TEXT, [{"start": 13, "end": 17, "label": "place"}]) == "Oslo (place)"
    assert in_words(TEXT, ()) == "no entity"

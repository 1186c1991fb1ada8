"""A label is the whole answer or none; a distribution from tokens, worked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from agent.teacher.labels import agreement, label_distribution, parse_label
from agent.teacher.messages import TokenLogprob

MOVIES = ("positive", "negative")


def token(said: str, **top: float) -> TokenLogprob:
    """A generated token and the probabilities of its alternatives, itself among them."""
    return tok(said, list(top.items()))


def tok(said: str, top: Sequence[tuple[str, float]]) -> TokenLogprob:
    chosen = dict(top)[said]
    return TokenLogprob(said, math.log(chosen), tuple((text, math.log(p)) for text, p in top))


def check(tokens: Sequence[TokenLogprob], labels: Sequence[str], mass: dict[str, float]) -> None:
    """`mass`: what is found for each label, before normalising."""
    distribution, coverage = label_distribution(tokens, labels)
    total = sum(mass.values())
    assert list(distribution) == list(labels)
    assert coverage == pytest.approx(total)
    assert sum(distribution.values()) == pytest.approx(1)
    for label in labels:
        assert distribution[label] == pytest.approx(mass.get(label, 0) / total), label


def test_one_token() -> None:
    check([token("positive", positive=0.7, negative=0.2, mixed=0.1)], MOVIES, {"positive": 0.7, "negative": 0.2})


def test_case_and_leading_space_are_spellings() -> None:
    top = [
        ("Positive", 0.5),
        (" positive", 0.2),
        ("POS", 0.1),
        ("negative", 0.1),
        ('"neg', 0.05),
        ("\n", 0.05),
    ]
    check([tok("Positive", top)], MOVIES, {"positive": 0.8, "negative": 0.15})


def test_a_beginning_of_one_label_decides() -> None:
    check([tok(" pos", [(" pos", 0.6), (" n", 0.3)]), token("itive", itive=1.0)], MOVIES,
          {"positive": 0.6, "negative": 0.3})  # fmt: skip


def test_a_beginning_of_two_labels_goes_on_to_the_next_token() -> None:
    first = tok("ne", [("ne", 0.8), ("ent", 0.2)])
    second = tok("utral", [("utral", 0.75), ("gative", 0.25)])
    labels = ("negative", "neutral", "entailment")
    check([first, second], labels, {"neutral": 0.6, "negative": 0.2, "entailment": 0.2})


def test_a_beginning_of_two_labels_that_was_not_generated_is_split() -> None:
    labels = ("negative", "neutral", "entailment")
    check(
        [tok("ent", [("ent", 0.6), ("ne", 0.4)])],
        labels,
        {"entailment": 0.6, "negative": 0.2, "neutral": 0.2},
    )


def test_labels_that_share_their_first_tokens() -> None:
    labels = ("account_access", "account_closing", "card")
    tokens = [
        tok("account", [("account", 0.9), ("card", 0.1)]),
        tok("_", [("_", 1.0)]),
        tok("access", [("access", 0.6), ("clos", 0.4)]),
    ]
    check(tokens, labels, {"account_access": 0.54, "account_closing": 0.36, "card": 0.1})


def test_a_label_that_begins_another_when_the_longer_is_generated() -> None:
    labels = ("entail", "entailment")
    tokens = [tok("entail", [("entail", 1.0)]), tok("ment", [("ment", 0.7), ("", 0.2), (".", 0.1)])]
    check(tokens, labels, {"entailment": 0.7, "entail": 0.3})


def test_a_label_that_begins_another_when_the_shorter_is_generated() -> None:
    labels = ("entail", "entailment")
    tokens = [tok("entail", [("entail", 1.0)]), tok("", [("", 0.8), ("ment", 0.2)])]
    check(tokens, labels, {"entail": 0.8, "entailment": 0.2})
    without_end_token = [tok("entail", [("entail", 0.9), ("yes", 0.1)])]
    check(without_end_token, labels, {"entail": 0.9})


def test_a_token_that_completes_a_label_and_goes_on() -> None:
    check([tok("positive.", [("positive.", 0.6), ("negative\n", 0.3), ("positing", 0.1)])], MOVIES,
          {"positive": 0.6, "negative": 0.3})  # fmt: skip


def test_quotes_and_json_before_the_label() -> None:
    quoted = [
        tok('"', [('"', 0.9), ("positive", 0.1)]),
        tok("negative", [("negative", 0.75), ("positive", 0.25)]),
    ]
    check(quoted, MOVIES, {"positive": 0.1 + 0.9 * 0.25, "negative": 0.9 * 0.75})
    wrapped = [
        tok(said, [(said, 1.0)]) for said in ("{", '"', "label", '":', ' "')
    ] + [tok("negative", [("negative", 0.75), ("positive", 0.25)]), tok('"}', [('"}', 1.0)])]  # fmt: skip
    check(wrapped, MOVIES, {"positive": 0.25, "negative": 0.75})


def test_a_word_before_the_label() -> None:
    tokens = [tok(said, [(said, 1.0)]) for said in ("Label", ":", " ")]
    tokens.append(tok("negative", [("negative", 0.75), ("positive", 0.25)]))
    check(tokens, MOVIES, {"positive": 0.25, "negative": 0.75})


def test_the_most_likely_start_without_a_meaning_is_left_out() -> None:
    check([tok("positive", [("positive", 0.4), (" ", 0.4), ("negative", 0.1)])], MOVIES,
          {"positive": 0.4, "negative": 0.1})  # fmt: skip


def test_accents_also_in_parts_of_a_character() -> None:
    labels = ("négatif", "neutre", "positif")
    check([tok("né", [("né", 0.6), ("ne", 0.3), ("pos", 0.1)])], labels,
          {"négatif": 0.6, "neutre": 0.3, "positif": 0.1})  # fmt: skip
    half, other = (bytes([byte]).decode("utf-8", "surrogateescape") for byte in "é".encode())
    parts = [tok("n", [("n", 1.0)]), tok(half, [(half, 0.7), ("e", 0.3)]), tok(other, [(other, 1.0)])]
    check(parts, labels, {"négatif": 0.7, "neutre": 0.3})


def test_chinese_labels() -> None:
    check(
        [tok("体", [("体", 0.8), ("科", 0.2)]), tok("育", [("育", 1.0)])],
        ("体育", "科技"),
        {"体育": 0.8, "科技": 0.2},
    )


def test_an_answer_in_a_sentence_gives_what_its_alternatives_say() -> None:
    check([tok("Sure", [("Sure", 0.9), ("negative", 0.1)]), token("negative", negative=1.0)], MOVIES,
          {"negative": 0.1})  # fmt: skip


@pytest.mark.parametrize("said", [[], ["I"], ["\n"], ["Sure", " positive"]])
def test_nothing_found_is_uniform_without_coverage(said: list[str]) -> None:
    tokens = [tok(text, [(text, 1.0)]) for text in said]
    assert label_distribution(tokens, MOVIES) == ({"positive": 0.5, "negative": 0.5}, 0.0)


def test_the_generated_token_may_be_missing_from_its_alternatives() -> None:
    tokens = [TokenLogprob("positive", math.log(0.1), (("negative", math.log(0.6)),))]
    check(tokens, MOVIES, {"positive": 0.1, "negative": 0.6})


def test_a_cut_beginning_is_split_between_its_labels() -> None:
    check([tok("con", [("con", 0.8), ("neutral", 0.2)])], ("contra", "context", "neutral"),
          {"contra": 0.4, "context": 0.4, "neutral": 0.2})  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        "positive", " Positive\n", "POSITIVE.", '"positive"', "**positive**", "`positive`", "Label: positive",
        "label : Positive.", "Answer: **positive**", "**Answer:** positive",
        '{"label": "positive"}', "- positive",
        "<positive>", "“positive”", "(positive)",
    ],
)  # fmt: skip
def test_a_label_is_parsed(said: str) -> None:
    assert parse_label(said, MOVIES) == "positive"


@pytest.mark.parametrize(
    "said",
    ["", " ", "The review is positive", "positive, because so", "not positive", "positing",
     "po", "positive negative", "Label:", "sentiment",
     '{"label": "positive", "other": "negative"}', '{"label": 1}', "[]"],
)  # fmt: skip
def test_anything_else_is_no_label(said: str) -> None:
    assert parse_label(said, MOVIES) is None


NEWS = ("World", "Sports", "Business", "Sci/Tech")


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ("Science/Tech", "Sci/Tech"), ("Sci & Technology.", "Sci/Tech"), ("sport", "Sports"),
        ("Label: science/technology", "Sci/Tech"),
        ("Science", None), ("Tech", None), ("Sc/Tech", None), ("Sci/Te", None), ("Sci/Tech news", None),
        ("Worldly business", None),
    ],
)  # fmt: skip
def test_a_label_word_by_word_in_another_form(said: str, label: str | None) -> None:
    assert parse_label(said, NEWS) == label


def test_a_form_of_two_labels_is_neither() -> None:
    assert parse_label("sad", ("sadness", "saddening")) is None
    assert parse_label("sad", ("sadness", "joy", "sad")) == "sad"
    assert parse_label("joyful", ("sadness", "joy")) == "joy"
    assert parse_label("ok", ("okay", "bad")) is None, "two letters are no stem"


def test_other_forms_count_in_the_distribution_from_their_first_token_on() -> None:
    first = tok("Science", [("Science", 0.5), ("Business", 0.25), ("Sci", 0.125), ("Space", 0.125)])
    check([first, tok("/T", [("/T", 1.0)]), tok("ech", [("ech", 1.0)])], NEWS, {"Sci/Tech": 0.625, "Business": 0.25})


def test_labels_with_signs_and_cases_of_their_own() -> None:
    assert parse_label("C++", ("C", "C++", "c#")) == "C++"
    assert parse_label("c.", ("C", "C++")) == "C"
    assert parse_label("C#", ("C", "c#")) == "c#"
    assert parse_label("Négatif.", ("négatif", "positif")) == "négatif"
    assert parse_label("ne\u0301gatif", ("négatif",)) == "négatif"
    assert parse_label("entailment", ("entail", "entailment")) == "entailment"
    assert parse_label("Answer", ("answer", "question")) == "answer"
    assert parse_label("New York", ("new york", "york")) == "new york"


def test_two_labels_of_one_spelling_differ_only_in_case() -> None:
    assert parse_label("yes", ("Yes", "YES")) is None
    assert parse_label("Yes", ("Yes", "YES")) == "Yes"


def test_agreement() -> None:
    assert agreement(["positive", "negative", "positive"], MOVIES) == {"positive": 2 / 3, "negative": 1 / 3}
    assert agreement(["positive", None, "other"], MOVIES) == {"positive": 1.0, "negative": 0.0}
    assert agreement([None], MOVIES) == {"positive": 0.5, "negative": 0.5}

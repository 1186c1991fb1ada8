"""Sentences tile a text to the character, and a token has one owner."""

from __future__ import annotations

import pytest

from agent.das.sentences import code_of, owner, sentences

TEXTS = {
    "double spaces": "Hello  world.  How are you?   Fine.",
    "newlines": "\n\nOne.\n\nTwo\nThree.\r\nFour. \n",
    "emoji": "🙂🙂 Fine.  It is 👩‍👩‍👧 ok! 🎉",
    "Chinese": "你好。今天天气很好！你呢？ 我很好。",
    "the same sentence again": "Same. Same.  Same. And same. Same.",
    "abbreviations": 'Dr. Smith went. He said "Hi! You." Then left... OK.',
    "a list": "1. one\n2. two\n- three. four",
    "what pysbd works with inside": "∯ odd. ☉ mark. ȸ x. &ᓴ& y! a\tb.\r\nNext.",
    "one word": "word",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("language", ["en", "fr", "zh"])
def test_the_spans_tile_the_text_so_no_boundary_drifts(text: str, language: str) -> None:
    spans = sentences(text, language)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(text[start:end].strip() for start, end in spans)


def test_a_sentence_has_the_white_space_after_it_and_the_first_also_that_before_it() -> None:
    text = "  One.  Two?\n\nThree 🙂. 你好。好！"
    assert [text[start:end] for start, end in sentences(text)] == [
        "  One.  ",
        "Two?\n\n",
        "Three 🙂. ",
        "你好。",
        "好！",
    ]


def test_the_language_says_what_ends_a_sentence() -> None:
    assert len(sentences("Voir Dr. Martin.", "en")) == 1
    assert len(sentences("Voir Dr. Martin.", "fr")) == 2


def test_what_pysbd_leaves_out_belongs_to_the_sentence_before() -> None:
    text = "Good. Odd ∯ one. Last."
    assert [text[start:end] for start, end in sentences(text)] == ["Good. Odd ∯ one. ", "Last."]


def test_no_text_has_no_sentence_and_white_space_is_one() -> None:
    assert sentences("") == ()
    assert sentences(" \n ") == ((0, 3),)


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ((0, 3), 0),  # "One"
        ((3, 4), 0),  # "."
        ((4, 6), 0),  # the two spaces
        ((5, 9), 1),  # " Two" begins in the space after the first sentence
        ((3, 9), 0),  # ".  Two": the first character that is no space decides
        ((9, 11), 1),  # ".\n"
        ((10, 12), 2),  # "\n3"
        ((11, 11), 2),  # of no character at all
        ((12, 12), 2),  # at the end
    ],
)
def test_a_token_across_a_boundary_belongs_to_the_sentence_of_its_first_mark(
    token: tuple[int, int], sentence: int
) -> None:
    text = "One.  Two.\n3"
    assert owner(text, ((0, 6), (6, 11), (11, 12)), *token) == sentence


@pytest.mark.parametrize(
    ("language", "code"),
    [("English", "en"), ("french", "fr"), ("German", "de"), ("zh", "zh"), (" Chinese ", "zh"), ("Klingon", "en")],
)
def test_a_language_is_known_by_its_name_or_code(language: str, code: str) -> None:
    assert code_of(language) == code

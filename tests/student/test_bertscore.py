"""BERTScore: the authors' figures where the real encoder is at hand, what it is made of, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.student.bertscore import bertscore
from agent.weights import fetch
from tasks.faults import UserError
from tests.fakes.tiny_causal import tiny_causal
from tests.fakes.tiny_model import tiny_model

ANSWERS = ["The cat sat on the mat.", "Close the door, please!", "A towel, sun cream and water", "😀 it works  well"]
RIGHT = [
    "A cat is sitting on the mat.",
    "Please shut the window.",
    "Sunscreen, towels and something to drink.",
    "It works fine.",
]
AUTHORS = [0.9034, 0.5993, 0.7050, 0.5962]
"""bert-score 0.3.13 with the last of all-MiniLM-L6-v2's six layers; an emoji is a word it does not know."""


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model(tmp_path_factory.mktemp("weights") / "tiny")


@pytest.mark.slow
def test_it_is_what_the_authors_own_code_says() -> None:
    scores, cut = bertscore(fetch("all-MiniLM-L6-v2"), ANSWERS, RIGHT)
    assert np.allclose(scores, AUTHORS, atol=1e-4) and cut == 0


def test_the_same_text_is_wholly_alike_an_empty_one_not_at_all_and_both_ways_are_the_same(encoder: Path) -> None:
    one, other = "a good film that we like", "a dull book"
    scores, _ = bertscore(encoder, [one, "", one, other, one], [one, one, " ", one, other])
    assert scores[0] == pytest.approx(1.0, abs=1e-5) and scores[1] == scores[2] == 0.0
    assert scores[3] == pytest.approx(scores[4], abs=1e-6) and scores[3] < 1


def test_a_batch_changes_nothing_and_what_is_cut_is_counted(encoder: Path) -> None:
    texts = ["good", "a very long and boring film " * 20, "we like it"]
    together, cut = bertscore(encoder, texts, texts[::-1])
    alone = [float(bertscore(encoder, [one], [other])[0][0]) for one, other in zip(texts, texts[::-1], strict=True)]
    assert np.allclose(together, alone, atol=1e-5) and cut == 1


def test_a_decoder_or_an_empty_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tiny_causal(tmp_path / "causal"), tmp_path / "empty"):
        with pytest.raises(UserError, match="a Hugging Face folder of a text encoder"):
            bertscore(folder, ["a"], ["b"])

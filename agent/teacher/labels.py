"""The label in a teacher's answer: read whole from its text, or as a distribution from its tokens.

Nothing is guessed: a label is the whole answer or it is none, and never a part of a sentence. An answer that is no
label as it stands may be one with its words in another form, written out or cut short: "Science/Tech" is
Sci/Tech, "sad" is sadness. (Of 183 texts written for AG News, a teacher of 1.5 B called 24 "Science/Tech" and 3
"Sci/Tech".)
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Sequence

from agent.teacher.messages import TokenLogprob

_AROUND = " \t\r\n\"'`*_.,;:!?()[]{}<>«»“”‘’…-–—#"
_BEFORE = " \t\r\n\"'`*([«“‘-–—#"
_WORD = re.compile(r"^(?:label|answer)\s*[\"'*_]*\s*[:=]", re.IGNORECASE)
_JSON_KEY = re.compile(r"^\{\s*\"[^\"]*\"\s*:")
_WORDS = ("label:", "answer:")
_LETTERS = re.compile(r"[^\W_]+")
STEM = 3
"""Letters that two forms of a word have in common at least, all of the shorter one's."""


def parse_label(text: str, labels: Sequence[str]) -> str | None:
    """The label that `text` is, or None. Case, quotes, punctuation and markdown around it, and a word
    `Label:` or `Answer:` before it do not matter; a label inside other words does not count. What is no label may be
    one label word by word in another form (see `_forms`)."""
    if text.strip() in labels:
        return text.strip()
    said = _folded(text).strip()
    ways = (said, _bare(said), _bare(_without_word(said)), _bare(_json_value(text)))
    for spoken in ways:
        exact = [label for label in labels if _folded(label) == spoken]
        near = [label for label in labels if _bare(_folded(label)) == spoken]
        for found in (exact, near):
            if spoken and len(found) == 1:
                return found[0]
    for spoken in ways:
        formed = [label for label in labels if _forms(spoken, _folded(label), ended=True)]
        if len(formed) == 1:
            return formed[0]
    return None


def label_distribution(tokens: Sequence[TokenLogprob], labels: Sequence[str]) -> tuple[dict[str, float], float]:
    """The teacher's distribution over `labels`, from the tokens of one answer and their alternatives.

    At each position the alternatives that can only begin (or complete) one label give it their
    probability; those that begin several are split between them; the generated token, while it is
    undecided, passes its probability on to the next position. Alternatives that say nothing yet (a
    space, a quote) are left out, since the same labels would follow them.

    Returns:
        (probabilities in the order of `labels`, which sum to 1; coverage: the probability found before
        normalising). Uniform with coverage 0 when nothing was found.
    """
    folded = {label: _folded(label) for label in labels}
    mass = dict.fromkeys(labels, 0.0)
    said, left = "", 1.0
    for token in tokens:
        alternatives = dict(token.top)
        for text, logprob in alternatives.items():
            if text != token.token:
                _give(mass, left * _probability(logprob), _meant(said + text, folded, ended=not text.strip()))
        ended = token.token == ""
        said += token.token
        left *= _probability(token.logprob)
        meant = _meant(said, folded, ended)
        if meant is None:
            continue
        if len(meant) < 2:
            _give(mass, left, meant)
            break
    else:
        _give(mass, left, _meant(said, folded, ended=True))
    coverage = sum(mass.values())
    if coverage <= 0.0:
        return dict.fromkeys(labels, 1 / len(labels)), 0.0
    return {label: value / coverage for label, value in mass.items()}, min(coverage, 1.0)


def agreement(answers: Sequence[str | None], labels: Sequence[str]) -> dict[str, float]:
    """The shares of the labels among several answers; answers that are no label do not count. Uniform
    when none is one."""
    valid = [answer for answer in answers if answer in labels]
    if not valid:
        return dict.fromkeys(labels, 1 / len(labels))
    return {label: valid.count(label) / len(valid) for label in labels}


def _meant(said: str, folded: dict[str, str], ended: bool) -> list[str] | None:
    """The labels an answer that begins with `said` may be; None = nothing said yet. `ended`: it ends here."""
    core = _core(said)
    if core is None:
        return None
    begun = [label for label, spelling in folded.items() if spelling.startswith(core)]
    whole = [label for label in begun if folded[label] == core]
    if begun:
        return whole if whole and ended else begun
    complete = [
        label
        for label, spelling in folded.items()
        if core.startswith(spelling) and not (core[len(spelling)].isalnum() or core[len(spelling)] == "_")
    ]
    if complete:
        return sorted(complete, key=lambda label: -len(folded[label]))[:1]
    if any(word.startswith(core.rstrip(_BEFORE)) for word in _WORDS):
        return None
    return [label for label, spelling in folded.items() if _forms(core, spelling, ended)]


def _forms(said: str, spelling: str, ended: bool) -> bool:
    """Whether `said` is `spelling`, both folded, with other forms of its words: of two forms the shorter one, of STEM
    letters or more, begins the longer one. Not `ended`: whether it may yet become that."""
    words, wanted = _LETTERS.findall(said), _LETTERS.findall(spelling)
    if not words or len(words) > len(wanted) or (ended and len(words) < len(wanted)):
        return False
    for place, (one, other) in enumerate(zip(words, wanted, strict=False)):
        short, long = sorted((one, other), key=len)
        growing = not ended and place == len(words) - 1 and other.startswith(one)
        if not (one == other or growing or (len(short) >= STEM and long.startswith(short))):
            return False
    return True


def _core(said: str) -> str | None:
    """`said` without what may stand before a label; None while nothing of the label came."""
    text = _folded(said.encode("utf-8", "surrogateescape").decode("utf-8", "ignore")).lstrip(_BEFORE)
    if text.startswith("{"):
        key = _JSON_KEY.match(text)
        if key is None:
            return None
        text = text[key.end() :].lstrip(_BEFORE)
    word = _WORD.match(text)
    if word:
        text = text[word.end() :].lstrip(_BEFORE)
    return text or None


def _give(mass: dict[str, float], probability: float, meant: list[str] | None) -> None:
    for label in meant or ():
        mass[label] += probability / len(meant or ())


def _probability(logprob: float) -> float:
    return math.exp(min(logprob, 0.0))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _bare(text: str) -> str:
    return text.strip(_AROUND)


def _without_word(text: str) -> str:
    text = text.lstrip(_AROUND)
    word = _WORD.match(text)
    return text[word.end() :] if word else text


def _json_value(text: str) -> str:
    """The only value of a JSON object, when it is a text."""
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return ""
    values = list(value.values()) if isinstance(value, dict) else []
    return _folded(values[0]) if len(values) == 1 and isinstance(values[0], str) else ""

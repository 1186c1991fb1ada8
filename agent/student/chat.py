"""A question and its answer as token ids: what a decoder reads and what it is to write, end token included.

With the model's own chat template; without one in the form of Stanford Alpaca. Question and answer are tokenised apart,
so that a token is of one or the other: of the loss and of generation alike, nothing of the question is in the answer,
and the token that ends a turn is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError

from agent.das.passage import alpaca
from agent.student.logprobs import PLAIN, beginning
from tasks.faults import Fault, UserError, quoted

_QUESTION, _ANSWER = "What is it?", "It is this."
"""With which a template is asked what ends an answer."""


@dataclass(frozen=True)
class Chat:
    """How one tokenizer writes a turn of the user and the answer to it."""

    tokenizer: Any
    end: int
    """The token that ends an answer: the template's, or the model's end token."""

    def asked(self, turns: Sequence[str]) -> list[list[int]]:
        """Token ids of each turn of the user, up to where the answer begins."""
        if not turns:
            return []
        if self.tokenizer.chat_template:
            texts = [_rendered(self.tokenizer, turn, None) for turn in turns]
            begin: list[int] = []
        else:
            texts, begin = [alpaca(turn, "") for turn in turns], beginning(self.tokenizer)
        return [[*begin, *ids] for ids in self.tokenizer(texts, **PLAIN)["input_ids"]]

    def answers(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each answer, the end token last."""
        if not texts:
            return []
        return [[*ids, self.end] for ids in self.tokenizer(list(texts), **PLAIN)["input_ids"]]

    def begun(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of the beginning of each answer."""
        return [ids[:-1] for ids in self.answers(texts)]

    def text(self, ids: Sequence[int]) -> str:
        """The text of written tokens, without what ends it."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))


def chat_of(tokenizer: Any) -> Chat:
    """The chat of a tokenizer that has an end token.

    Raises:
        UserError: its template does not take a turn of the user, or writes the same turn in another way once it is
            answered, so that what is learned would not be what is asked.
    """
    if not tokenizer.chat_template:
        return Chat(tokenizer, int(tokenizer.eos_token_id))
    asked, whole = _rendered(tokenizer, _QUESTION, None), _rendered(tokenizer, _QUESTION, _ANSWER)
    if not whole.startswith(asked + _ANSWER):
        got = f"{quoted(asked[-60:])}, and with the answer {quoted(whole[-80:])}"
        raise _unfit("one in which an answer follows what it is asked with", got)
    after = tokenizer(whole[len(asked) + len(_ANSWER) :], **PLAIN)["input_ids"]
    added = tokenizer.added_tokens_decoder
    special = [token for token in after if token in added and added[token].special]
    return Chat(tokenizer, int(special[0] if special else tokenizer.eos_token_id))


def _rendered(tokenizer: Any, turn: str, answer: str | None) -> str:
    turns = [{"role": "user", "content": turn}]
    if answer is not None:
        turns.append({"role": "assistant", "content": answer})
    try:
        return str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=answer is None))
    except (TemplateError, ValueError, TypeError) as error:
        raise _unfit("one that takes a turn of the user and its answer", quoted(str(error))) from error


def _unfit(expected: str, got: str) -> UserError:
    remedy = "Choose another model, or take the template out of its tokenizer_config.json: then the form is Alpaca's."
    return UserError(Fault("student.model: chat template", expected, got, remedy))

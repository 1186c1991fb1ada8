"""Writer: a decoder that answers by writing. It learns whole answers, the questions left out of the loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from agent.config import StudentConfig
from agent.das.passage import Passage, alpaca
from agent.das.token_spans import TokenSpan, geometric_mean
from agent.student.base import Base, length_of
from agent.student.batches import Tokens
from agent.student.causal import Causal, load_causal
from agent.student.chat import Chat, chat_of
from agent.student.encoder import EncoderStudent
from agent.student.generating import generated, next_logits
from agent.student.hardware import Hardware
from agent.student.heads import Loss, relative
from agent.student.logprobs import text_logprobs
from agent.student.student import TrainRow, Written
from tasks.task import WrittenKind
from tasks.written import OPEN, read_answer

TOKENS = {"cpu": 8192, "cuda": 65536, "mps": 8192}
"""Of one batch that is written, question, answer and padding."""
LOGIT_BYTES = 1 << 29
"""Of the logits of a micro-batch in training, about: with 150,000 words they outweigh all else."""
IGNORED = -100
"""The label of a token that is not learned, as in torch."""


class Writer(EncoderStudent):
    """A Student (see student.py) whose answers are text, in the form of tasks/written.py."""

    def __init__(
        self, config: StudentConfig, labels: tuple[str, ...], base: Base, hardware: Hardware, kind: WrittenKind
    ) -> None:
        at_once = max(1, LOGIT_BYTES // (4 * int(base.model.config.vocab_size) * base.max_length))
        parts = config.micro_batch or min(config.batch_size, at_once)
        super().__init__(config.model_copy(update={"micro_batch": parts}), labels, base, hardware)
        self._kind = kind
        self._chat: Chat = chat_of(base.tokenizer)
        self._written: tuple[tuple[object, ...], list[Written]] = ((), [])

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        """The probability of each label as the answer that follows the student's own reasoning; of free answers the
        geometric mean probability of what it wrote."""
        written = self.write(texts, adapter)
        return self._sure(texts, written, adapter) if self._kind.FREE else self._choices(texts, written, adapter)

    def _sure(self, texts: Sequence[str], written: Sequence[Written], adapter: Path | None) -> NDArray[np.float64]:
        result = np.zeros((len(texts), 1))
        whole = [index for index, one in enumerate(written) if one.stopped and one.text.strip()]
        read = self.read([texts[index] for index in whole], [written[index].text for index in whole], adapter)
        result[whole, 0] = [geometric_mean(tokens) for tokens in read]
        return result

    def _choices(self, texts: Sequence[str], written: Sequence[Written], adapter: Path | None) -> NDArray[np.float64]:
        result = np.zeros((len(texts), len(self.labels)))
        answered = [
            index for index, one in enumerate(written)
            if one.stopped and read_answer(one.text, self.labels, reasoned=False).answer is not None
        ]  # fmt: skip
        if not answered:
            return result
        with self._lock, self._memory("student.max_length"):
            model = self._on_device(adapter)
            asked = self._asked([texts[index] for index in answered])
            before = [written[index].text.rpartition(OPEN)[0] + OPEN for index in answered]
            prompts = [[*one, *ids[:-1]] for one, ids in zip(asked, self._chat.answers(before), strict=True)]
            tokenizer = self._base.tokenizer
            letters = [tokenizer(label, add_special_tokens=False)["input_ids"][0] for label in self.labels]
            logits = next_logits(model, prompts, tokenizer.pad_token_id, self._room, self.device)
            result[answered] = logits[:, letters].softmax(dim=-1).numpy()
        return result

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        with self._lock, self._memory("student.max_length"):
            model = self._on_device(adapter)
            once = list(dict.fromkeys(texts))  # several answers of the teacher to a question: one of the student's
            wanted = (*(self._loaded or ((),))[0], *once)
            if self._written[0] != wanted:
                tokenizer = self._base.tokenizer
                ends = {self._chat.end, int(tokenizer.eos_token_id)}
                found = generated(
                    model, self._asked(once), ends, tokenizer.pad_token_id, self._kind.TOKENS, self._room, self.device
                )
                self._written = (wanted, [Written(self._chat.text(one.ids), one.stopped) for one in found])
            said = dict(zip(once, self._written[1], strict=True))
            return [said[text] for text in texts]

    def read(
        self, texts: Sequence[str], answers: Sequence[str], adapter: Path | None
    ) -> list[tuple[TokenSpan, ...] | None]:
        turns = [self._kind.turn(text, self.labels) for text in texts]
        passages = [
            Passage({}, answer, alpaca(turn, ""), turn) for turn, answer in zip(turns, answers, strict=True)
        ]  # fmt: skip
        with self._lock, self._memory("student.max_length"):
            model = self._on_device(adapter)
            return text_logprobs(Causal(model, self._base.tokenizer), passages, self.device, lambda message: None)

    @property
    def _room(self) -> int:
        return TOKENS[self.device.partition(":")[0]]

    def _asked(self, texts: Sequence[str]) -> list[list[int]]:
        return self._chat.asked([self._kind.turn(text, self.labels) for text in texts])

    def _lesson(self, rows: Sequence[TrainRow]) -> tuple[Tokens, int, Loss]:
        asked = self._asked([row.text for row in rows])
        begun = self._chat.begun([row.written[: row.begun] for row in rows])
        asked = [[*one, *more] for one, more in zip(asked, begun, strict=True)]
        answers = self._chat.answers([row.written[row.begun :] for row in rows])
        tokens, wanted, cut = lesson(asked, answers, self._base.max_length)
        return tokens, cut, answer_loss(wanted, rows)


def lesson(
    asked: Sequence[list[int]], answers: Sequence[list[int]], longest: int
) -> tuple[Tokens, list[list[int]], int]:  # fmt: skip
    """Token ids of question and answer, what is learned at each (IGNORED in the question), and how many were too long.

    Of a question that leaves no room for its answer the beginning is cut, so that the end token is learned wherever the
    answer alone is short enough.
    """
    tokens, wanted, cut = [], [], 0
    for question, answer in zip(asked, answers, strict=True):
        room = max(0, longest - len(answer))
        kept = question[len(question) - room :] if len(question) > room else question
        row = [*kept, *answer][:longest]
        cut += len(kept) < len(question) or len(answer) > longest
        tokens.append(row)
        wanted.append([IGNORED] * min(len(kept), longest) + answer[: longest - len(kept)])
    return tokens, wanted, cut


def answer_loss(wanted: Sequence[Sequence[int]], rows: Sequence[TrainRow]) -> Loss:
    """For logits (B, T, V): mean over the batch of weight × mean cross-entropy of the next token over an answer's
    tokens, in nats. A text counts as much as another however long its answer, so that micro-batches change nothing."""
    weights = relative(rows)

    def loss(logits: torch.Tensor, batch: list[int]) -> torch.Tensor:
        labels = torch.full(logits.shape[:2], IGNORED, dtype=torch.long)  # (B, T)
        for number, index in enumerate(batch):
            labels[number, : len(wanted[index])] = torch.tensor(list(wanted[index]))
        after = labels[:, 1:].to(logits.device)
        learned = after != IGNORED
        each = functional.cross_entropy(logits[:, :-1][learned].float(), after[learned], reduction="none")
        share = weights[batch].to(logits.device) / learned.sum(dim=1).clamp(min=1)  # (B,)
        return (share[:, None].expand_as(after)[learned] * each).sum() / len(batch)

    return loss


def load_writer(folder: Path, max_length: int, quantised: bool = False) -> Base:
    """The base of a causal model's folder; `quantised`: its projections in 4 bit (NF4).

    Raises:
        UserError: see load_causal; a chat template that cannot be used, or a `max_length` it does not read.
    """
    causal = load_causal(folder, torch.float32, quantised)
    chat_of(causal.tokenizer)
    longest = length_of(causal.model.config, causal.tokenizer, max_length)
    return Base(causal.model, causal.tokenizer, (), (), longest, quantised=quantised, writes=True, seeded=False)

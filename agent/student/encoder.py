"""EncoderStudent: an encoder with a head for texts or words, or a decoder used as one; LoRA, QLoRA or in full."""

from __future__ import annotations

import copy
import gc
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agent.config import StudentConfig
from agent.das.token_spans import TokenSpan
from agent.student.adapter_folder import stamp, written
from agent.student.averaging import averaged, bias_of, shifted
from agent.student.base import Base
from agent.student.batches import Tokens, by_length, padded, tokenise
from agent.student.dropout import quicken
from agent.student.hardware import Hardware, give_back_memory
from agent.student.heads import NOWHERE, Loss, first_tokens, read_words, text_loss, word_loss
from agent.student.lora import trainable
from agent.student.probe import back, learned, probed, start_from_probe
from agent.student.quiet import quiet
from agent.student.restore import restored, whole
from agent.student.student import DEFAULT, Schedule, TrainLog, TrainRow, Written
from agent.student.trainer import STEPS_A_LABEL, STEPS_A_TAG, fit
from agent.student.transitions import chained, counted, read_moves, write_moves
from agent.student.words import nearest
from tasks.faults import Fault, UserError

PREDICT_TOKENS = {"cpu": 2048, "cuda": 65536, "mps": 8192}
"""Tokens in one batch of `predict`, padding included."""

MEMORY_REMEDY = "Use a smaller value, or --set student.checkpointing=true."


class EncoderStudent:
    """A Student (see student.py). One call at a time: a lock makes other threads wait."""

    def __init__(
        self, config: StudentConfig, labels: tuple[str, ...], base: Base, hardware: Hardware, pairs: bool = False
    ) -> None:
        self.labels = labels
        self.hardware = hardware
        self._config = config
        self._base = base
        self._pairs = pairs
        self._lock = threading.RLock()
        self._loaded: tuple[tuple[object, ...], Any] | None = None
        self._embedded: tuple[tuple[str, ...], NDArray[np.float64]] = ((), np.zeros((0, 0)))

    @property
    def device(self) -> str:
        return self.hardware.device

    @property
    def dtype(self) -> str:
        """Format of the products in training; predictions are always float32."""
        return self.hardware.dtype

    def train(
        self, rows: Sequence[TrainRow], adapter: Path, start: Path | None, seed: int, schedule: Schedule = DEFAULT
    ) -> TrainLog:
        if not rows:
            raise ValueError("train: no rows")
        config = self._config.model_copy(update=dict(schedule))
        with self._lock, self._memory("student.micro_batch"), _seeded(seed, self.device):
            tokens, truncated, loss = self._lesson(rows)
            before: dict[str, torch.Tensor] = {}
            if start is None:
                model = trainable(self._base, self._config)
                if self._config.head == "probe" and probed(self._base):
                    start_from_probe(model, self._base, tokens, rows)
                    before = learned(model)
            else:
                stamp(start)
                model = restored(self._base, start, train=True)
            model.to(self.device)
            if self.device == "cpu":
                quicken(model, seed)
            padding = self._base.tokenizer.pad_token_id
            least = 0 if self._base.writes else len(self.labels) * (STEPS_A_TAG if self._base.spans else STEPS_A_LABEL)
            losses = fit(model, tokens, loss, least, config, self.hardware, padding, seed)
            back(model, before, config.probe_share)
            with written(adapter) as folder, quiet():
                self._save(model, folder)
                if self._base.spans:
                    write_moves(folder, counted(row.target for row in rows))
        count = sum(part.numel() for part in model.parameters() if part.requires_grad)
        del model
        give_back_memory()
        return TrainLog(tuple(losses), len(losses), len(rows), truncated, count)

    def _lesson(self, rows: Sequence[TrainRow]) -> tuple[Tokens, int, Loss]:
        """Token ids of each row, how many were cut, and what is learned of them."""
        texts, outputs = [row.text for row in rows], len(self.labels)
        loss = word_loss(rows, self._places(texts), outputs) if self._base.spans else text_loss(rows, outputs)
        return *self._tokens(texts), loss

    def predict(self, texts: Sequence[str], adapter: Path | None) -> NDArray[np.float64]:
        with self._lock, self._memory("student.max_length"), torch.inference_mode():
            model = self._on_device(adapter)
            tokens, _ = self._tokens(texts)
            places = self._places(texts) if self._base.spans else []
            longest = [max(map(len, places), default=0)] if self._base.spans else []
            result = np.zeros((len(tokens), *longest, len(self.labels)))
            for batch in by_length(tokens, PREDICT_TOKENS[self.device.partition(":")[0]]):
                chosen = [tokens[index] for index in batch]
                inputs = padded(chosen, self._base.tokenizer.pad_token_id, self.device)
                given = model(**inputs).logits.float().softmax(dim=-1).cpu().numpy()
                if not self._base.spans:
                    result[batch] = given
                    continue
                for index, row in zip(batch, given, strict=True):
                    read_words(row, places[index], result[index])
        if self._base.spans and adapter is not None and (moves := read_moves(adapter)) is not None:
            for row, mine in zip(result, places, strict=True):
                known = np.array(mine) != NOWHERE
                row[: len(mine)][known] = chained(row[: len(mine)], moves)[known]
        return result

    def write(self, texts: Sequence[str], adapter: Path | None) -> list[Written]:
        return []

    def read(
        self, texts: Sequence[str], answers: Sequence[str], adapter: Path | None
    ) -> list[tuple[TokenSpan, ...] | None]:
        return []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        if self._embedded[0] != tuple(texts):  # the pool is looked at in each iteration
            self._embedded = (tuple(texts), self._features(texts))
        return self._embedded[1]

    def _features(self, texts: Sequence[str]) -> NDArray[np.float64]:
        with self._lock, self._memory("student.max_length"), torch.inference_mode():
            encoder = self._base.encoder.to(self.device)
            tokens, _ = self._tokens(texts)
            result = np.zeros((len(tokens), self._base.model.config.hidden_size))
            for batch in by_length(tokens, PREDICT_TOKENS[self.device.partition(":")[0]]):
                inputs = padded([tokens[index] for index in batch], self._base.tokenizer.pad_token_id, self.device)
                mask = inputs["attention_mask"][..., None]  # (B, T, 1)
                mean = (encoder(**inputs).last_hidden_state.float() * mask).sum(dim=1) / mask.sum(dim=1)
                result[batch] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
            encoder.to("cpu")
        return result

    def nearest_words(self, word: str, count: int) -> list[str]:
        with self._lock:
            return nearest(self._base, word, count)

    def average(self, one: Path, other: Path, share: float, adapter: Path) -> None:
        for folder in (one, other):
            stamp(folder)
        with self._lock, written(adapter) as new:
            averaged(one, other, share, new)

    @property
    def biased(self) -> bool:
        return not self._base.spans and bias_of(self._base) is not None

    def shift(self, one: Path, by: NDArray[np.float64], adapter: Path) -> None:
        stamp(one)
        bias = bias_of(self._base) if self.biased else None
        if bias is None:
            raise ValueError("shift: a head without a bias for each label")
        with self._lock, written(adapter) as new:
            shifted(one, bias, by, new)

    def export(self, adapter: Path, folder: Path) -> None:
        stamp(adapter)
        with self._lock, written(folder) as new, quiet():
            whole(self._base, adapter).save_pretrained(new)
            self._base.tokenizer.save_pretrained(new)
            shutil.copytree(adapter, new / "adapter")

    def _tokens(self, texts: Sequence[str]) -> tuple[Tokens, int]:
        return tokenise(self._base.tokenizer, texts, self._base.max_length, self._pairs)

    def _places(self, texts: Sequence[str]) -> list[list[int]]:
        return first_tokens(self._base.tokenizer, texts, self._base.max_length)

    def _save(self, model: Any, folder: Path) -> None:
        if self._config.method == "full":
            model.save_pretrained(folder)
            return
        for lora in model.peft_config.values():  # peft keeps sets, whose order differs from process to process
            lora.target_modules = sorted(lora.target_modules)
            lora.modules_to_save = sorted(set(lora.modules_to_save or ())) or None
        model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)  # peft's empty template of a model card

    def _on_device(self, adapter: Path | None) -> Any:
        wanted = () if adapter is None else stamp(adapter)
        if self._loaded is None or self._loaded[0] != wanted:
            self._loaded = None
            model = copy.deepcopy(self._base.model) if adapter is None else restored(self._base, adapter, train=False)
            self._loaded = (wanted, model.to(self.device).eval())
        return self._loaded[1]

    @contextmanager
    def _memory(self, field: str) -> Iterator[None]:
        try:
            yield
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if not isinstance(error, torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(error):
                raise
            self._loaded = None
            gc.collect()
            got = str(error).splitlines()[0][:120]
            remedy = "Use a smaller value." if self._config.checkpointing else MEMORY_REMEDY
            fault = Fault(field, f"a batch that fits into the memory of {self.device}", got, remedy)
            raise UserError(fault) from error


@contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Torch's random state set to `seed` and put back at the end; on CUDA, the deterministic kernels as well."""
    cuda = device.startswith("cuda")
    strict = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    with torch.random.fork_rng(devices=[torch.device(device).index or 0] if cuda else []):
        torch.manual_seed(seed)
        if cuda:  # on a CPU the plain kernels are deterministic already
            torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(strict, warn_only=warned)

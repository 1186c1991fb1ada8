"""open_student: the student that a configuration, a task and a model's files make."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from agent.config import StudentConfig
from agent.footprint import Method
from agent.student.base import Base, load_base, not_a_model
from agent.student.causal import is_decoder, model_type
from agent.student.decoder import load_decoder
from agent.student.dense import dense
from agent.student.encoder import EncoderStudent
from agent.student.fits import check_fits
from agent.student.hardware import choose_hardware
from agent.student.lora import projections
from agent.student.writer import Writer, load_writer
from tasks.faults import Fault, UserError
from tasks.spans import tags
from tasks.task import written_kind


def open_student(
    config: StudentConfig,
    labels: Sequence[str],
    weights: Path,
    pairs: bool = False,
    spans: bool = False,
    writes: str | None = None,
) -> EncoderStudent:
    """The student of `config` for `labels`, its base read from `weights`, a folder or, for a decoder, a .gguf file.

    `pairs`: each text is two lines; `spans`: it tags the words of texts; `writes`: the task kind for which it writes
    its answers out. Whether it is an encoder or a decoder, the model's config says.

    Raises:
        UserError: neither of them, a device that is not there, a `max_length` it cannot read, target modules that it
            does not have, an encoder that is to write, or `method: qlora` for an encoder or without bitsandbytes.
    """
    hardware = choose_hardware(config.device, config.dtype)
    outputs = tags(labels) if spans else tuple(labels)
    base = _base(weights, outputs, config.max_length, config.method, hardware.device, spans, writes is not None)
    projections(base, config.lora.target_modules)
    if writes is not None:
        return Writer(config, outputs, base, hardware, written_kind(writes))
    return EncoderStudent(config, outputs, base, hardware, pairs)


@lru_cache(maxsize=2)
def _base(
    weights: Path, outputs: tuple[str, ...], max_length: int, method: Method, device: str, spans: bool, writes: bool
) -> Base:  # fmt: skip
    """One base for all runs of this process: it is only ever copied."""
    folder = dense(weights) if weights.is_file() else weights
    kind = model_type(folder, not_a_model)
    if writes and not is_decoder(kind):
        got, remedy = f"{weights.name}, an encoder ({kind})", "Use one, e.g. --set student.model=smollm2-135m-instruct."
        raise UserError(Fault("student.model", "a decoder, which can write its answers out", got, remedy))
    check_fits(folder, method, device)
    if writes:
        return load_writer(folder, max_length, method == "qlora")
    if is_decoder(kind) and spans:
        raise not_a_model(weights, f"a decoder ({kind}), which reads a word before what follows it and tags none")
    if is_decoder(kind):
        return load_decoder(folder, outputs, max_length, method == "qlora")
    if method == "qlora":
        fault = Fault("student.method", "lora or full for an encoder", "'qlora'", "Take a decoder, or lora.")
        raise UserError(fault)
    return load_base(folder, outputs, max_length, spans)

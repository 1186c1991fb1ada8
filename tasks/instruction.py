"""Task kind `instruction`: something is asked for in words, and answered in words.

Data rows, as of Stanford Alpaca: {"instruction", "input", "output"}; `input`, what the instruction is about, may be
absent or empty. An example's text is what is asked, the input after a blank line; all have the one label LABEL. The
student is a decoder (tasks/written.py). Its answers are compared with the data's own by chrF (Popović 2015; sacrebleu),
whose characters need no words, so that it serves all languages, and by ROUGE (Lin 2004; rouge-score).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer
from sacrebleu.metrics.chrf import CHRF

from tasks import classification
from tasks.classification import Rows
from tasks.classification import target as target
from tasks.faults import Fault, quoted
from tasks.task import Example, Outputs, Sample, Task
from tasks.written import NO_ANSWER, Answered, repeats

KIND = "instruction"
METRIC = "chrf"
LABEL = "answer"
FREE = True
TOKENS = 256
"""Of an answer, at most."""
ROUGE = ("rouge1", "rougeL")
UNIT = 1000
"""In which the likeness of an answer is counted, since statistics over several runs are of whole numbers."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]|\w+")
"""A word of any script; of Chinese and Japanese, which put no spaces, a character."""

SAMPLE = Sample(
    text="request to an assistant     # what one instruction is",
    question="What is the answer?",
    labels={},
    subjects="kitchen, travel, office, school, garden",
    seed=(
        {"instruction": "Say this more politely.", "input": "Send me the file now.",
         "output": "Could you please send me the file?"},
        {"instruction": "Name three things to take to the beach.", "input": "",
         "output": "A towel, sun cream and a bottle of water."},
        {"instruction": "In one sentence, what is this note about?",
         "input": "The lift is broken again. Someone comes on Friday; until then please take the stairs.",
         "output": "The lift is out of order until it is repaired on Friday."},
    ),
    test=(
        {"instruction": "Correct the spelling.", "input": "The wether is luvly today.",
         "output": "The weather is lovely today."},
        {"instruction": "What does “frugal” mean?", "input": "", "output": "Frugal means careful not to waste money."},
    ),
)  # fmt: skip


def _labels() -> dict[str, str | None]:
    return {LABEL: None}


class Columns(BaseModel):
    model_config = ConfigDict(extra="forbid")
    instruction: str = "instruction"
    input: str = "input"
    output: str = "output"


class Spec(classification.Labelled):
    """The fields of an instruction task.yaml; it names no labels."""

    least: ClassVar[int] = 1
    kind: str = KIND
    text: str = Field("instruction", min_length=1)
    question: str = Field("What is the answer?", min_length=1)
    labels: dict[str, str | None] = Field(default_factory=_labels)
    columns: Columns = Field(default_factory=Columns)

    @field_validator("labels")
    @classmethod
    def _one(cls, value: dict[str, str | None]) -> dict[str, str | None]:
        if list(value) != [LABEL]:
            raise ValueError("no labels in a task of instructions, whose answers are free")
        return value


def read(spec: Mapping[str, Any], file: Path) -> Task:
    """The task that `spec` (the content of `file`) describes, with its data.

    Raises:
        UserError: every fault of the fields; then every fault of the data.
    """
    fields = classification.checked(Spec, spec, file)
    return replace(classification.read_with(fields, _examples, file, ("text",), written=True), free=True)


def turn(text: str, labels: Sequence[str]) -> str:
    """What is asked, as it is."""
    return text


def read_reply(text: str, labels: Sequence[str]) -> Answered:
    """A teacher's answer, unless it is empty or goes round in circles."""
    output = text.strip()
    if not output:
        return Answered(None, None, "empty")
    return Answered(None, None, "repeats") if repeats(output) else Answered(None, LABEL, output=output)


def prose(text: str) -> tuple[int, int]:
    """All of it."""
    return 0, len(text)


def with_written(said: Example, written: str) -> Example:
    """The student's answer with its text, none where it came to no end."""
    return replace(said, output=written.strip() if said.label == LABEL else "")


def lesson(answer: Example, place: int, labels: Sequence[str]) -> tuple[Example, str]:
    """The request and its answer as they are."""
    return answer, answer.output or ""


def example(place: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Example:
    """The labelled example of a row. Raises UserError where it is none."""
    return classification.only(_examples([(place, dict(row))], Columns().model_dump(), labels, True))


def said(text: str, outputs: Outputs, labels: Sequence[str]) -> Example:
    """LABEL, or NO_ANSWER; the answer itself is in `with_written`."""
    return Example(text, LABEL if outputs.any() else NO_ANSWER)


def likelihood(answer: Example, outputs: Outputs, labels: Sequence[str]) -> float:
    """How sure the student is of what it wrote: the geometric mean probability of its tokens; 0 of NO_ANSWER."""
    return float(outputs[0]) if answer.label == LABEL else 0.0


def likeness(said: Example, gold: Example) -> float:
    """chrF of the answer against the right one, 0 to 1."""
    return float(_chrf().sentence_score(said.output or "", [gold.output or ""]).score) / 100


def examined(
    gold: Sequence[Example], said: Sequence[Example], labels: Sequence[str]
) -> tuple[dict[str, Any], dict[str, list[int]]]:
    """Means over the texts of chrF, ROUGE-1 and ROUGE-L (F1), no answer counting 0; how often there was none, and the
    answers' mean length in words beside the right ones'.

    Of each text its chrF, in thousandths of the answer to give and the one given.
    """
    near = [likeness(one, other) for one, other in zip(said, gold, strict=True)]
    rouge = [_rouge().score(other.output, one.output) for one, other in zip(said, gold, strict=True)]
    count = max(1, len(near))
    metrics = {
        "n": len(near),
        "chrf": sum(near) / count,
        **{name.lower(): sum(one[name].fmeasure for one in rouge) / count for name in ROUGE},
        "unanswered": sum(one.label == NO_ANSWER for one in said) / count,
        "words": sum(len((one.output or "").split()) for one in said) / count,
        "words_right": sum(len((one.output or "").split()) for one in gold) / count,
        "per_class": {},
    }
    whole = [UNIT] * len(near)
    return metrics, {"gold": whole, "predicted": whole, "right": [round(UNIT * one) for one in near]}


class _Words(Tokenizer):  # type: ignore[misc]
    """rouge-score's own drops every letter that is not English."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.casefold())


@cache
def _chrf() -> CHRF:
    return CHRF()


@cache
def _rouge() -> RougeScorer:
    return RougeScorer(list(ROUGE), tokenizer=_Words())


def _examples(
    rows: Rows, columns: Mapping[str, str], labels: Mapping[str, str], labelled: bool
) -> tuple[list[Example], list[Fault]]:
    examples, faults = [], []
    for place, row in rows:
        instruction, given, output = (row.get(columns[name]) for name in ("instruction", "input", "output"))
        if not isinstance(instruction, str) or not instruction.strip():
            got = quoted(instruction) if columns["instruction"] in row else f"the fields {', '.join(map(str, row))}"
            expected = f"an instruction in {columns['instruction']!r}"
            faults.append(Fault(place, expected, got, "Fill it in, or set `columns.instruction`."))
        elif given is not None and not isinstance(given, str):
            faults.append(Fault(f"{place}: {columns['input']}", "a text, or none", quoted(given), "Mend the row."))
        elif (labelled or output is not None) and (not isinstance(output, str) or not output.strip()):
            got = quoted(output) if output is not None else "none"
            expected = f"an answer in {columns['output']!r}"
            faults.append(Fault(place, expected, got, "Fill it in, or set `columns.output`."))
        else:
            text = "\n\n".join(part.strip() for part in (instruction, given or "") if part.strip())
            answer = None if output is None else output.strip()
            examples.append(Example(text, None if answer is None else LABEL, output=answer))
    return examples, faults

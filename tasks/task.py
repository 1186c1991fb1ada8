"""A task: what is asked, its labels, and its data, read from one YAML file and checked as a whole."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import yaml
from numpy.typing import NDArray

from tasks.data import parse_yaml, shortened, text_key
from tasks.faults import Fault, UserError, quoted
from tasks.written import Answered

BUNDLED = Path(__file__).parent
DEFAULT_KIND = "classification"
OUTSIDE = "O"
"""The tag of a word that is in no entity, and the label of a text that holds none (tasks/spans.py)."""
SHOTS = 5
"""Seed examples a label that a few-shot task has; a run that leaves some of them unlearned says so."""


@dataclass(frozen=True)
class Entity:
    """A part of a text and what it is: text[start:end], in characters."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class Example:
    """One text and what it is: its gold label, or what someone says; the label is None in an unlabelled pool."""

    text: str
    """Of a task of several fields: their values, a line each (`joined`)."""
    label: str | None
    """Of a task of spans the label under which the text is counted (`spans.standing_for`)."""
    entities: tuple[Entity, ...] | None = None
    """What a text of a task of spans holds, in order, none of them over another; None in every other task."""
    reasoning: str | None = field(default=None, compare=False)
    """Why the label is right, where the answer is written out and somebody wrote it."""
    output: str | None = field(default=None, compare=False)
    """The answer itself, in a task of free answers."""

    @property
    def labels(self) -> tuple[str, ...]:
        """All labels that this is an example of: of entities, each of theirs once."""
        if self.entities:
            return tuple(dict.fromkeys(entity.label for entity in self.entities))
        return () if self.label is None else (self.label,)


@dataclass(frozen=True)
class Task:
    """A task as the loop sees it. The loop never reads `test`, but for the node `measure`."""

    name: str
    kind: str
    language: str
    text: str
    """What one text is, e.g. "customer message"."""
    question: str
    """What is asked of a text, e.g. "Which team should handle this message?"."""
    labels: Mapping[str, str]
    """Label to its description ("" where there is none), in the order of the student's outputs."""
    attributes: Mapping[str, tuple[str, ...]]
    """What generated texts vary in, e.g. {"subject": (...), "length": (...)}."""
    seed: tuple[Example, ...]
    """Labelled examples from which the shots are drawn."""
    dev: tuple[Example, ...]
    pool: tuple[Example, ...]
    """Texts without a label to the loop; a gold label here is read by the strategy full_shot alone."""
    test: tuple[Example, ...]
    notes: tuple[str, ...]
    """What was noticed in the data and is no fault, e.g. repeated texts."""
    fields: tuple[str, ...] = ("text",)
    """What an example consists of: one text, or several that are judged together, e.g. premise and hypothesis."""
    spans: bool = False
    """Whether the answer to a text is the entities in it, labelled each, in place of one label for the whole."""
    written: bool = False
    """Whether the answer is written out: reasoning, then the label (tasks/written.py), or, where it is `free`, text."""
    free: bool = False
    """Whether the answer is a text of its own, which no label sums up; all examples then have the one label."""

    def draw(self, shots: int, rng: np.random.Generator) -> tuple[Task, tuple[Example, ...]]:
        """`shots` seed examples a label, and the task whose pool no longer holds them. Of entities also as many texts
        that have none, as far as there are any: what is no entity has to be seen, too.

        Raises:
            UserError: a label has fewer examples than `shots`.
        """
        chosen: list[Example] = []
        faults = []
        for label in self.labels:
            mine = [example for example in self.seed if label in example.labels and example not in chosen]
            if len(mine) < shots:
                got = f"{len(mine)} for {label!r}"
                remedy = "Lower --set shots, or add examples."
                faults.append(Fault(f"{self.name}: seed", f"at least {shots} examples a label", got, remedy))
                continue
            chosen += [mine[i] for i in rng.choice(len(mine), size=shots, replace=False)]
        if faults:
            raise UserError(*faults)
        bare = [example for example in self.seed if OUTSIDE in example.labels] if self.spans else []
        chosen += [bare[i] for i in rng.choice(len(bare), size=min(shots, len(bare)), replace=False)] if bare else []
        taken = {text_key(example.text) for example in chosen}
        pool = tuple(example for example in self.pool if text_key(example.text) not in taken)
        return replace(self, pool=pool), tuple(chosen)

    def unused(self, shots: int) -> list[str]:
        """What to say where each label has more seed examples than the `shots` that are learned."""
        least = min(sum(label in example.labels for example in self.seed) for label in self.labels)
        use = min(least, SHOTS)
        if shots >= use:
            return []
        return [f"seed: {shots} of {least:,} examples a label learned; --set shots={use} learns {use}"]

    @property
    def choices(self) -> int:
        """How many things one text may be: one of the labels; where entities are marked, or answers free, also none."""
        return len(self.labels) + (self.spans or self.free)

    @property
    def label_alone(self) -> bool:
        """Whether the answer to a text is one label and nothing beside it."""
        return not (self.spans or self.written)

    @property
    def several(self) -> bool:
        """Whether an example consists of several texts."""
        return len(self.fields) > 1

    def parts(self, text: str) -> list[str]:
        """The fields' values in the text of an example; what `joined` put together."""
        return text.split("\n") if self.several else [text]

    def shown(self, text: str) -> str:
        """`text` as a prompt asks about it: of several fields a line each, with its name."""
        return "\n".join(self._with_names(text))

    def line(self, text: str, longest: int) -> str:
        """`text` as a prompt lists it: on one line, of each field at most `longest` characters."""
        lines = [" ".join(part.split()) for part in self._with_names(text)]
        return " | ".join(line if len(line) <= longest else line[:longest] + " …" for line in lines)

    def _with_names(self, text: str) -> list[str]:
        parts = self.parts(text)
        named = zip(self.fields, parts, strict=True)
        return [f"{field}: {part}" for field, part in named] if self.several else parts

    def named(self) -> dict[str, str]:
        """Each label in words, its gloss after a colon; {} where they say nothing: labels of digits or one letter,
        what several texts have to do with one another, what parts of a text are, or that of all free answers."""
        if self.several or self.spans or self.free:
            return {}
        words = {label: " ".join(label.replace("_", " ").split()) for label in self.labels}
        if any(not gloss and sum(map(str.isalpha, words[label])) < 2 for label, gloss in self.labels.items()):
            return {}
        return {label: f"{words[label]}: {gloss}" if gloss else words[label] for label, gloss in self.labels.items()}


def joined(values: Sequence[str]) -> str:
    """The text of an example of several fields: their values, each on a line of its own."""
    return "\n".join(" ".join(value.split()) for value in values)


@dataclass(frozen=True)
class Sample:
    """What `evokd tasks new` fills a new task of a kind with; it runs as it is."""

    text: str
    question: str
    labels: Mapping[str, str]
    """{} where answers are free."""
    subjects: str
    """With commas between."""
    seed: Sequence[Mapping[str, Any]]
    """Rows of seed.jsonl."""
    test: Sequence[Mapping[str, Any]]


RIGHT = 0.5
"""Of an answer's likeness to the right one: 0 or 1 but for free answers (tasks/instruction.py)."""
Outputs = NDArray[np.float64]
"""What the student says of one text: (L,) probabilities of the labels; of a task of spans (W, T) of words and tags."""


Target = tuple[float, ...] | tuple[tuple[float, ...], ...]
"""As Outputs, to be learned."""


class Kind(Protocol):
    """What a task kind's module offers: its data, and what an answer is to the student and to who examines it."""

    SAMPLE: Sample
    METRIC: str
    """The key of `examined`'s metrics that is the result."""

    def read(self, spec: Mapping[str, Any], file: Path) -> Task: ...

    def example(self, place: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Example:
        """The labelled example of a row, its fields under their usual names. Raises UserError where it is none."""
        ...

    def said(self, text: str, outputs: Outputs, labels: Sequence[str]) -> Example:
        """The answer that the student's outputs for `text` are."""
        ...

    def likelihood(self, answer: Example, outputs: Outputs, labels: Sequence[str]) -> float:
        """The student's probability of an answer, 0 to 1."""
        ...

    def target(self, answer: Example, labels: Sequence[str]) -> Target:
        """What the student learns a text as: the distributions that its outputs should be."""
        ...

    def likeness(self, said: Example, gold: Example) -> float:
        """How near an answer is to the right one, 0 to 1; from RIGHT on it counts as right."""
        ...

    def examined(
        self, gold: Sequence[Example], said: Sequence[Example], labels: Sequence[str]
    ) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """Metrics of answers to the same texts, and for each text the numbers from which METRIC can be made again."""
        ...


class WrittenKind(Kind, Protocol):
    """A kind whose answers are written out (tasks/written.py)."""

    FREE: bool
    """Whether its answers are free (see Task)."""
    TOKENS: int
    """Of an answer, at most; a longer one is cut, and no answer."""

    def turn(self, text: str, labels: Sequence[str]) -> str:
        """What is put to who answers: the text, and of choices what there is to choose and the form of an answer."""
        ...

    def read_reply(self, text: str, labels: Sequence[str]) -> Answered:
        """What a teacher's answer says; why not, where it is not worth learning."""
        ...

    def prose(self, text: str) -> tuple[int, int]:
        """Where in an answer that was read stands what is compared sentence by sentence, in characters.

        Raises:
            ValueError: there is no such part.
        """
        ...

    def with_written(self, said: Example, written: str) -> Example:
        """The student's answer, with what it wrote where that is the answer."""
        ...

    def lesson(self, answer: Example, place: int, labels: Sequence[str]) -> tuple[Example, str]:
        """The answer as the example at `place` of a training is learned, and the text that is to be written for it."""
        ...


def load_task(name: str) -> Task:
    """The task of a bundled name, of a task.yaml, or of a folder that holds one.

    Raises:
        UserError: with all faults found in the file and its data.
    """
    file = find_task(name)
    try:
        spec = parse_yaml(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        first = " ".join(str(error).split())[:160]
        raise UserError(Fault(str(file), "UTF-8 YAML", first, "Mend the file.")) from None
    if not isinstance(spec, dict):
        got = type(spec).__name__
        raise UserError(Fault(str(file), "a mapping of fields", got, "`evokd tasks new` writes one."))
    faults = unknown_kind(str(spec.get("kind", DEFAULT_KIND)), file)
    try:
        known = {**spec, "kind": DEFAULT_KIND} if faults else spec  # so that the other faults are told too
        task = kind_module(str(known.get("kind", DEFAULT_KIND))).read(known, file)
        check_disjoint(task, file)
    except UserError as error:
        raise UserError(*faults, *error.faults) from None
    if faults:
        raise UserError(*faults)
    return task


def find_task(name: str) -> Path:
    """The task.yaml that `name` means."""
    bundled = BUNDLED / name / "task.yaml"
    path = Path(name)
    for candidate in (path, path / "task.yaml", bundled):
        if candidate.is_file():
            return candidate
    remedy = "`evokd tasks` lists the bundled ones; `evokd tasks new` writes a new one."
    raise UserError(Fault("TASK", f"one of {', '.join(bundled_tasks())}, or a task.yaml", quoted(name), remedy))


def bundled_tasks() -> list[str]:
    """Names of the tasks that come with evokd."""
    return sorted(path.parent.name for path in BUNDLED.glob("*/task.yaml"))


def unknown_kind(kind: str, file: Path) -> list[Fault]:
    """The fault of a kind without a file `tasks/<kind>.py`; none where it has one."""
    known = sorted(p.stem for p in BUNDLED.glob("*.py") if "\nKIND = " in p.read_text(encoding="utf-8"))
    if kind in known:
        return []
    near = difflib.get_close_matches(kind, known, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else "Change it."
    return [Fault(f"{file}: kind", f"one of {', '.join(known)}", quoted(kind), remedy)]


def kind_module(kind: str) -> Kind:
    """The module of a task kind: `tasks/<kind>.py`."""
    module: Kind = importlib.import_module(f"tasks.{kind}")
    return module


def written_kind(kind: str) -> WrittenKind:
    """The same of a kind whose answers are written out."""
    return cast(WrittenKind, importlib.import_module(f"tasks.{kind}"))


def check_disjoint(task: Task, file: Path) -> None:
    """No text of the test or dev part may stand in another part."""
    faults: list[Fault] = []
    parts = {"test": task.test, "dev": task.dev, "seed": task.seed, "pool": task.pool}
    for held_out in ("test", "dev"):
        keys = {text_key(example.text) for example in parts[held_out]}
        for other, examples in parts.items():
            if other == held_out or (held_out, other) == ("dev", "test"):
                continue
            shared = [example for example in examples if text_key(example.text) in keys]
            for example in shared:
                place = f"{file}: data.{other} and data.{held_out}"
                got = f"{quoted(example.text, 60)} in both"
                faults.append(Fault(place, "no text in two parts", got, f"Remove it from {other}."))
    if faults:
        raise UserError(*shortened(faults))

"""RunConfig: everything that decides what a run does. Frozen, strict, every fault in one message.

A recipe file (YAML) holds any part of it; `--set a.b=c` overrides one field; the resolved whole is
written to `config.yaml` of the run folder, and a resumed run reads only that file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.das import Rule
from tasks.data import parse_yaml
from tasks.faults import Fault, UserError, quoted

Part = Literal[
    "names",
    "analyze",
    "subjects",
    "generate",
    "hard",
    "easy",
    "hardness",
    "correct",
    "separation",
    "agreement",
    "score",
    "evaluate",
    "sample",
    "shortlist",
    "review",
    "reconcile",
    "average",
    "selftrain",
    "match",
]
"""What `--without` can leave out of the loop; a node's name, or a part of one."""

PARTS: tuple[str, ...] = get_args(Part)


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RoleConfig(Section):
    """Overrides of the teacher for one role (analyst, generator, labeller); null = the teacher's own."""

    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    temperature: float | None = Field(None, ge=0, le=2)


class Price(Section):
    """US dollars per million tokens. Unknown stays null; nothing is guessed."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class TeacherConfig(Section):
    """Where the teacher is and how it may be called."""

    base_url: str = "local"
    """OpenAI-compatible endpoint, or `local`: serve `model` on this machine for the length of the run."""
    model: str = "qwen2.5-coder-1.5b-instruct"
    api_key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; the key itself is never written anywhere."""
    mode: Literal["live", "replay"] = "live"
    """`replay`: answer from the ledger alone, no endpoint, an error on the first miss."""
    ledger: Path = Path("runs/ledger.sqlite")
    analyst: RoleConfig = RoleConfig()
    generator: RoleConfig = RoleConfig()
    labeller: RoleConfig = RoleConfig()
    same_processor: bool | None = None
    """The endpoint computes on the processor that trains the student, so the lanes take turns; null = where base_url
    is `local` and the student is on the CPU."""
    max_concurrency: int | None = Field(None, ge=1, le=512)
    """Calls in flight; null = adaptive (starts at 4, grows while it goes well, halves on 429)."""
    requests_per_minute: int | None = Field(None, ge=1)
    tokens_per_minute: int | None = Field(None, ge=1)
    timeout: float | None = Field(None, gt=0)
    """Seconds for one call; null = 120, and an hour where the endpoint is on this machine."""
    attempts: int = Field(6, ge=1)
    """Tries of one call before the run stops and says why (resume continues)."""
    agreement_samples: int = Field(3, ge=1)
    """Labels asked per text when the endpoint gives no logprobs; their agreement is the confidence."""
    texts_per_label_call: int = Field(1, ge=1, le=50)
    """Texts in one labelling call; more than 1 only where it was measured to be as right."""
    entity_examples: int = Field(2, ge=0, le=50)
    """Seed examples shown when the entities of a text are asked for, at most, short ones with many labels first. With
    more the teacher is better, and its labels are dearer (docs/what-we-learned.md)."""
    calibrate: bool = True
    """Take the teacher's liking for some labels out, as its labels of pool texts show it; needs logprobs and a pool."""
    longest_text: int = Field(3000, ge=20)
    """Characters of a text that the labeller is shown; longer ones are cut at a space, and counted."""
    price: Price | None = None


class BudgetConfig(Section):
    """Ends the run softly when any is reached; null = no limit."""

    tokens: int | None = Field(None, ge=1)
    cost: float | None = Field(None, gt=0)
    """US dollars; needs a known price."""
    calls: int | None = Field(None, ge=1)
    minutes: float | None = Field(None, gt=0)


class LoraSection(Section):
    rank: int = Field(16, ge=1)
    alpha: int | None = Field(None, ge=1)
    """null = 2 × rank."""
    dropout: float = Field(0.05, ge=0, lt=1)
    target_modules: tuple[str, ...] | None = None
    """null = every attention and feed-forward projection of the model."""


class StudentConfig(Section):
    """The small model and how it is trained."""

    model: str = "all-MiniLM-L6-v2"
    """A name of the catalogue, a hub name, a folder in Hugging Face format, or a .gguf file (a decoder)."""
    method: Literal["lora", "qlora", "full"] = "lora"
    """`qlora`: LoRA on a decoder whose weights are in 4 bit, for a machine with little memory."""
    lora: LoraSection = LoraSection()
    learning_rate: float = Field(1e-3, gt=0)
    epochs: int = Field(8, ge=1)
    min_steps: int = Field(40, ge=1)
    """At least this many optimiser steps, so that a handful of examples is learned too; and at least five a label."""
    max_steps: int | None = Field(400, ge=1)
    """At most this many: many examples need fewer epochs. null = no limit."""
    batch_size: int = Field(16, ge=1)
    micro_batch: int | None = Field(None, ge=1)
    """Texts that go through the model at once; a larger batch is summed up from parts. null = the batch. For a large
    model in little memory."""
    checkpointing: bool = False
    """Compute activations anew in the backward pass in place of keeping them: less memory, about a third more time."""
    max_length: int = Field(128, ge=8)
    """Tokens of a text that the student reads; longer texts are cut, and counted."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    device: str = "auto"
    head: Literal["seed", "probe"] | None = None
    """Where the head of an encoder begins: at random, or as a linear probe of it before any training, where it is one
    linear layer (agent/student/probe.py). null = a probe where all texts are written by the teacher: they are of
    another kind than those it will read."""
    probe_share: float = Field(0.5, ge=0, le=1)
    """Of the untrained probe in the weights of a student that began as one and learned the teacher's texts; none where
    those of the student before them, which foretells the teacher's labels well, are in it (agent/nodes/average.py)."""
    train_from: Literal["base", "previous"] = "base"
    """`base`: every iteration trains the base model anew on history + batch. `previous`: goes on."""
    soft_labels: bool = True
    """Learn the teacher's label distribution where there is one."""


class BatchConfig(Section):
    """What one iteration asks the teacher for."""

    hard: int | None = Field(None, ge=0)
    """Generated texts the student should get wrong. null = 0 where a pool gives real texts, which teach more for less;
    4 where none does, or where `easy` is set."""
    easy: int | None = Field(None, ge=0)
    """Generated texts the student should get right; null likewise."""
    pool: int = Field(48, ge=0)
    """Texts taken from the task's pool; where it has none, their places go to generated ones."""
    surplus: float = Field(1.5, ge=1)
    """Hard candidates per hard text that is kept; the score chooses."""
    texts_per_call: int = Field(8, ge=1, le=50)
    """Texts asked of the teacher in one generating call."""
    pool_policy: Literal["random", "uncertainty", "longest", "diverse"] = "diverse"
    """At random, where the student is least sure, the longest, or those that stand for many and cost little."""
    generate_temperature: float = Field(1.0, ge=0, le=2)
    answers: int = Field(1, ge=1, le=16)
    """Answers asked for each question, where they are written out (choice, instruction); `rule` keeps one of them."""
    answer_temperature: float | None = Field(None, ge=0, le=2)
    """Of written answers; null = 0 where one is asked for, 1 where several are."""
    continued: int = Field(0, ge=0)
    """Answers of the student to the questions of the batch before, cut in the middle, which the teacher is to continue
    (mixed policy: agent/nodes/begin.py); of written answers, from the second batch on."""
    rule: Rule | None = None
    """Which written answers are kept, by divergence-aware sampling (docs/das-for-text.md); null = `count` of several,
    and one alone as it is."""


class ReplayConfig(Section):
    """Which examples of the history are trained on again."""

    policy: Literal["uniform", "balanced", "periodic"] = "uniform"
    size: int | None = Field(None, ge=0)
    """Examples drawn from the history; null = all of it."""
    every: int = Field(2, ge=1)
    """`periodic`: review in every n-th iteration only."""


class SelfTrainingConfig(Section):
    """At the end the student labels pool texts for itself and trains once more; costs no teacher token."""

    texts: int = Field(1000, ge=0)
    """Pool texts without a teacher label that it answers, at most; 0 = no self-training."""
    share: float = Field(0.5, gt=0, le=1)
    """Of the texts it gives one label, the surest it learns from."""


class StageBatch(Section):
    """What a stage asks for in another way than `batch`; null = as there."""

    pool: int | None = Field(None, ge=0)
    answers: int | None = Field(None, ge=1, le=16)
    answer_temperature: float | None = Field(None, ge=0, le=2)
    continued: int | None = Field(None, ge=0)
    rule: Rule | None = None


class StageStudent(Section):
    """How a stage trains in another way than `student`; null = as there."""

    learning_rate: float | None = Field(None, gt=0)
    epochs: int | None = Field(None, ge=1)
    min_steps: int | None = Field(None, ge=1)
    max_steps: int | None = Field(None, ge=1)
    train_from: Literal["base", "previous"] | None = None


class StageConfig(Section):
    """Some iterations in a row, with settings of their own."""

    iterations: int = Field(ge=1)
    batch: StageBatch = StageBatch()
    student: StageStudent = StageStudent()


class RunConfig(Section):
    """One run of one strategy on one task."""

    task: str
    strategy: str = "evokd"
    without: tuple[Part, ...] = ()
    seed: int = Field(1, ge=0)
    shots: int = Field(1, ge=1)
    """Seed examples drawn for each label."""
    earlier: str | None = None
    """The folder of a run that has ended, of this task or of one with fewer labels: what its student learned is learned
    again from the start, so that a label is added and no other lost."""
    iterations: int = Field(5, ge=0)
    stages: tuple[StageConfig, ...] = ()
    """Two-stage distillation and the like, of tasks whose answers are written out (benchmarks/two_stage.yaml); the
    stages' iterations are then those of the run."""
    teacher: TeacherConfig = TeacherConfig()
    budget: BudgetConfig = BudgetConfig()
    student: StudentConfig = StudentConfig()
    batch: BatchConfig = BatchConfig()
    replay: ReplayConfig = ReplayConfig()
    self_training: SelfTrainingConfig = SelfTrainingConfig()
    test_limit: int | None = Field(None, ge=1)
    """Measure on the first n test texts only; null = all."""

    def at(self, iteration: int) -> RunConfig:
        """The configuration in that iteration: with the settings of its stage. Iteration 0 is of the first one."""
        for number, stage in enumerate(self.stages, 1):
            if iteration <= stage.iterations or number == len(self.stages):
                batch = self.batch.model_copy(update=stage.batch.model_dump(exclude_none=True))
                student = self.student.model_copy(update=stage.student.model_dump(exclude_none=True))
                return self.model_copy(update={"batch": batch, "student": student})
            iteration -= stage.iterations
        return self


def resolve(recipe: Mapping[str, Any], sets: Sequence[str] = (), where: str = "recipe") -> RunConfig:
    """A RunConfig from a recipe and `a.b=c` overrides.

    Raises:
        UserError: with every fault found, each with its field and a remedy.
    """
    data: dict[str, Any] = _plain(recipe)
    faults: list[Fault] = []
    for item in sets:
        _override(data, item, faults)
    if faults:
        raise UserError(*faults)
    try:
        return RunConfig.model_validate(data)
    except ValidationError as error:
        raise UserError(*(_fault(detail, where) for detail in error.errors())) from error


def read_recipe(path: Path) -> dict[str, Any]:
    """The mapping in a YAML recipe file. Raises UserError when it is none."""
    try:
        loaded = parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(Fault("--recipe", "a file", quoted(str(path), 400), "Check the path.")) from None
    except (UnicodeDecodeError, yaml.YAMLError, IsADirectoryError) as error:
        first = str(error).splitlines()[0]
        raise UserError(Fault(str(path), "UTF-8 YAML", first, "Mend the file.")) from None
    if not isinstance(loaded, dict):
        got = type(loaded).__name__
        raise UserError(Fault(str(path), "a mapping of fields", got, "See `evokd run --help`."))
    return loaded


def dump(config: RunConfig) -> str:
    """`config` as the YAML of config.yaml; `resolve(read_recipe(...))` gives it back."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings merged; `over` wins."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        result[key] = merged(old, value) if both else value  # type: ignore[arg-type]
    return result


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _plain(v) if isinstance(v, Mapping) else v for k, v in value.items()}


def _override(data: dict[str, Any], item: str, faults: list[Fault]) -> None:
    path, equals, text = item.partition("=")
    if not equals or not path.strip():
        faults.append(Fault("--set", "field=value", quoted(item), "For example --set student.epochs=4."))
        return
    *parents, last = path.strip().split(".")
    node = data
    for name in parents:
        child = node.setdefault(name, {})
        if not isinstance(child, dict):
            faults.append(Fault(f"--set {path}", "a section before the dot", quoted(name), "See config.yaml."))
            return
        node = child
    try:
        node[last] = parse_yaml(text)
    except yaml.YAMLError:
        node[last] = text


def _fault(detail: Any, where: str) -> Fault:
    place = ".".join(str(part) for part in detail["loc"])
    got = quoted(detail["input"])
    if detail["type"] == "extra_forbidden":
        known = _fields(detail["loc"][:-1])
        near = difflib.get_close_matches(str(detail["loc"][-1]), known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else f"Known fields: {', '.join(known)}."
        return Fault(f"{where}: {place}", "a known field", repr(str(detail["loc"][-1])), remedy)
    if detail["type"] == "missing":
        return Fault(f"{where}: {place}", "a value", "nothing", f"Give it, e.g. --set {place}=…")
    message = str(detail["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    return Fault(f"{where}: {place}", message, got, "Change the value.")


def _fields(loc: tuple[Any, ...]) -> list[str]:
    model: type[BaseModel] = RunConfig
    for part in loc:
        field = model.model_fields.get(str(part))
        kinds = () if field is None else (field.annotation, *get_args(field.annotation))
        sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if not sections:
            return []
        model = sections[0]
    return list(model.model_fields)

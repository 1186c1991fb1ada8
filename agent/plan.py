"""From what was asked for to what will run: the strategy's settings, and what a left-out part takes with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.baselines.strategy import Strategy, find_strategy
from agent.config import BatchConfig, RunConfig, merged, resolve
from agent.graph import Plan
from tasks.classification import ALWAYS
from tasks.faults import Fault, UserError
from tasks.task import Task

WRITTEN = 4
"""Hard texts of a batch, and easy ones, where the configuration leaves their number open and any are written."""
OF_LABELS = ("names", "shortlist", "reconcile", "average", "selftrain", "match")
"""Parts that need one label a text and no more: tasks of spans, but for `selftrain`, and of written answers do without
them."""
MOST_SUBJECTS = 16
"""Labels; a call for each of more would cost a good part of a small budget."""
CHOOSING: Mapping[str, Callable[[BatchConfig], bool]] = {
    "batch.answers": lambda batch: batch.answers > 1, "batch.rule": lambda batch: batch.rule is not None,
}  # fmt: skip
"""Settings for which `score` must choose among written answers."""
CONTINUING = "batch.continued"
ENGLISH = ("all-MiniLM-L6-v2", "all-mpnet-base-v2")
"""Encoders of the catalogue that learned from English texts."""
MULTILINGUAL = "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2"
OF_WRITING = ("hard", "easy", "hardness", "correct", "separation", "agreement")
"""Parts within nodes that are there only where texts are written."""


def configure(recipe: Mapping[str, Any], sets: Sequence[str] = (), where: str = "recipe") -> RunConfig:
    """The resolved configuration: recipe, then the strategy's settings, then `--set`.

    Without review of history the student goes on from its last weights, unless `student.train_from` says
    otherwise: trained from the base on the newest batch alone, it would know nothing else.
    """
    asked = resolve(recipe, sets, where)
    config = resolve(merged(recipe, find_strategy(asked.strategy).settings), sets, where)
    if config.stages:
        turns = sum(stage.iterations for stage in config.stages)
        if "iterations" in asked.model_fields_set and asked.iterations != turns:
            remedy = "Leave iterations out."
            raise UserError(
                Fault(f"{where}: iterations", f"{turns}, as the stages have", str(asked.iterations), remedy)
            )
        config = config.model_copy(update={"iterations": turns})
    if "review" in config.without and "train_from" not in config.student.model_fields_set:
        student = config.student.model_copy(update={"train_from": "previous"})
        config = config.model_copy(update={"student": student})
    return config


def plan_of(config: RunConfig, task: Task) -> Plan:
    """The shape of the graph for this configuration and task.

    Raises:
        UserError: nothing is left that makes texts, a strategy that lives on the pool has none, or a part is to be left
            out that is not there.
    """
    strategy = find_strategy(config.strategy)
    fixed: set[str] = set(strategy.without)
    if not task.label_alone:
        check_more(config, strategy, task)
        fixed = (fixed | foreign(task)) - {"separation"}  # a text is written for a label: no more of it is known
    check_answers(config, task, {*strategy.without, *config.without})
    if not asks_subjects(task):
        fixed.add("subjects")
    without = implied({*fixed, *config.without}, config, bool(task.pool))
    if config.iterations > 0 and strategy.labels != "eda" and {"generate", "sample"} <= without:
        where, got = "--without", ",".join(config.without)
        if not config.without:
            where, got = "--strategy", f"{config.strategy}, which makes none, for iterations={config.iterations}"
        remedy = "Keep one of generate (hard or easy) and sample (with a pool in the task), or --set iterations=0."
        if "generate" in strategy.without and not task.pool:
            where, got = f"{task.name}: data.pool", "none"
            remedy = "Add unlabelled texts as data.pool, or choose another strategy."
        elif config.batch.pool == 0:
            where, got, remedy = "batch.pool", "0", "Take some of the pool's texts, e.g. --set batch.pool=40."
        raise UserError(Fault(where, f"texts to train on, for strategy {config.strategy}", got, remedy))
    batch = settled(config.batch, "sample" not in without)
    idle = [part for part in OF_WRITING if part in config.without]
    if idle and not (batch.hard or batch.easy):
        remedy = "Leave it out, or have texts written: --set batch.hard=4."
        raise UserError(Fault("--without", "parts that this run has", f"{idle[0]}, where no text is written", remedy))
    return Plan(
        without=frozenset(without),
        kinds=strategy.kinds,
        apart=strategy.apart if task.label_alone else strategy.kinds,
        labels=strategy.labels,
        iterations=config.iterations,
        batch=batch,
        writing=strategy.writing,
        weighing=strategy.weighing,
        continuing=any(one.batch.continued for one in every(config)),
    )


def notes(config: RunConfig, task: Task) -> list[str]:
    """What should be known of a run before it begins, though nothing is wrong."""
    found = [*task.notes, *task.unused(config.shots)]
    student = Path(config.student.model).name
    if student in ENGLISH and not task.language.casefold().startswith("en"):
        known = f"student.model: {student} learned from English, and the task is in {task.language}"
        found.append(f"{known}; of many languages is e.g. {MULTILINGUAL}, from the hub")
    return found


def foreign(task: Task) -> set[str]:
    """Parts that a task which asks for more than a label of a text does without."""
    return set(OF_LABELS) - ({"selftrain"} if task.spans else set())


def check_more(config: RunConfig, strategy: Strategy, task: Task) -> None:
    """Raises UserError: what was asked for is of labels of whole texts alone, and `task` asks for more."""
    kind = f"a task of kind {task.kind}"
    faults = []
    if strategy.of_labels is not None:
        faults.append(Fault("--strategy", f"one for {kind}", config.strategy, f"Choose another: {strategy.of_labels}."))
    for part in config.without:
        if part in foreign(task):
            faults.append(Fault("--without", "parts that this run has", part, f"Leave it out: {kind} has none."))
        if part == "separation":
            told = "where entities are" if task.spans else "why an answer is right"
            remedy = f"Leave it out: only that call tells {told}."
            faults.append(Fault("--without", f"parts that {kind} can do without", part, remedy))
    if (several := config.teacher.texts_per_label_call) > 1:
        faults.append(Fault("teacher.texts_per_label_call", f"1 for {kind}", str(several), "Leave it out."))
    if faults:
        raise UserError(*faults)


def check_answers(config: RunConfig, task: Task, without: Collection[str]) -> None:
    """Raises UserError: stages, several answers or a rule where none is written out, or where nothing chooses; answers
    to be continued where none is written out, or none was examined."""
    batches = [one.batch for one in every(config)]
    continued = [CONTINUING] if any(batch.continued for batch in batches) else []
    chosen = [name for name, asks in CHOOSING.items() if any(map(asks, batches))]
    staged = ["stages"] if config.stages else []
    if (first := [*staged, *chosen, *continued]) and not task.written:
        got, remedy = f"kind {task.kind}", "Leave it out."
        raise UserError(Fault(first[0], "a task whose answers are written out", got, remedy))
    if chosen and "score" in without:
        where, got = ("--without", "score") if "score" in config.without else ("--strategy", config.strategy)
        remedy = f"Keep score, or leave {chosen[0]} out."
        raise UserError(Fault(where, f"the part that chooses (score), for {chosen[0]}", got, remedy))
    if continued and "evaluate" in without:
        where, got = ("--without", "evaluate") if "evaluate" in config.without else ("--strategy", config.strategy)
        remedy = f"Keep evaluate, or leave {CONTINUING} out."
        raise UserError(Fault(where, f"the part that examines the student (evaluate), for {CONTINUING}", got, remedy))
    if config.stages and config.stages[0].batch.continued:
        remedy = "Give it to a later stage."
        got = str(config.stages[0].batch.continued)
        raise UserError(Fault("stages 1: batch.continued", "0: nothing was answered before", got, remedy))


def every(config: RunConfig) -> list[RunConfig]:
    """The configuration of each iteration after the first."""
    return [config.at(iteration) for iteration in range(1, config.iterations + 1)]


def asks_subjects(task: Task) -> bool:
    """Whether the teacher is to name what texts are about: of a task with few labels whose author names nothing that
    they vary in, and where the answer is one label of one text."""
    own = set(task.attributes) - set(ALWAYS)
    return task.label_alone and not (own or task.several) and len(task.labels) <= MOST_SUBJECTS


def implied(without: set[str], config: RunConfig, has_pool: bool) -> set[str]:
    """`without`, with every part that then has nothing to do or nobody to do it for."""
    result = set(without)
    if not has_pool or config.batch.pool == 0:
        result.add("sample")
    if "sample" in result or config.iterations == 0 or config.earlier is not None:
        result.add("match")  # of no real text is known how common its label is, or of what an earlier run left
    if not has_pool or config.self_training.texts == 0:
        result.add("selftrain")
    batch = settled(config.batch, "sample" not in result)
    if {"hard", "easy"} <= result or not (batch.hard or batch.easy):
        result.add("generate")
    if ("hard" in result or not batch.hard) and find_strategy(config.strategy).writing.aimed:
        result.add("analyze")  # easy texts are asked for without a word of its mistakes
    if not config.student.soft_labels or config.iterations == 0 or config.earlier is not None:
        result.add("reconcile")  # of an earlier run the first student knows the teacher's labels: no second opinion
    if "reconcile" in result or "sample" not in result or config.student.train_from == "previous":
        result.add("average")
    if "evaluate" in result or "generate" in result:
        result.add("analyze")
    if "generate" in result:
        result.add("subjects")
    return result


def settled(batch: BatchConfig, sampled: bool) -> BatchConfig:
    """`batch` with the numbers of generated texts that were left open: none where real texts are sampled.

    With a pool a written text cost four times a real one and taught no more (docs/what-we-learned.md).
    """
    open_ = 0 if sampled and batch.hard is None and batch.easy is None else WRITTEN
    kinds = {"hard": batch.hard, "easy": batch.easy}
    return batch.model_copy(update={kind: open_ if count is None else count for kind, count in kinds.items()})


def needs_teacher(plan: Plan) -> bool:
    """Whether any node of the graph calls the teacher."""
    return plan.iterations > 0 and plan.labels == "teacher"

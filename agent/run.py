"""launch, resume: builds the Context, opens the checkpointer, streams the graph."""

from __future__ import annotations

import hashlib
import json
import platform
import uuid
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, get_args

from langgraph.checkpoint.sqlite import SqliteSaver

from agent import __version__
from agent.answer_das import rule_of
from agent.config import RunConfig, StudentConfig, dump, read_recipe, resolve
from agent.das import BY_SENTENCES
from agent.earlier import check_earlier
from agent.graph import Plan, build_graph, drawing
from agent.plan import CONTINUING, every, needs_teacher, notes, plan_of
from agent.rundir import RunDir, read_json, write_json, write_text
from agent.state import Context, rng
from agent.teacher.messages import Request, Role
from agent.teacher.route import LOCAL
from agent.teacher.teacher import Teacher, open_teacher
from agent.weights import fetch, whole_path
from tasks.faults import Fault, UserError, quoted
from tasks.task import BUNDLED, Example, Task, find_task, load_task

THREAD = "run"
NODES_AN_ITERATION = 6
WRITTEN_LENGTH = 512
"""Tokens of a question and its written answer, where student.max_length was not set."""
COUNTING = (("user", "Count from one to six in words."), ("assistant", "one, two, three,"))
"""Of an endpoint that goes on from a beginning the reply begins with "four"."""
PACKAGES = ("torch", "transformers", "peft", "langgraph", "openai")


class Watcher(Protocol):
    """Who follows a run, e.g. the progress display."""

    def say(self, message: str) -> None:
        """What happens before the first node, e.g. a download."""

    def note(self, message: str) -> None:
        """What the user should know of this run; it stays in sight."""

    def watch(self, context: Context) -> None:
        """The run is open; its figures can be read from now on."""

    def notify(self, event: str, node: str, iteration: int) -> None:
        """A node starts ("start") or ends ("end")."""


def launch(config: RunConfig, root: Path, watcher: Watcher) -> dict[str, Any]:
    """Runs `config` in the new folder `root` and returns the content of result.json.

    Raises:
        UserError: a fault in task, data, endpoint or weights: before anything is spent.
    """
    student = config.student.model_copy(update={"model": whole_path(config.student.model)})
    where = config.task if BUNDLED in find_task(config.task).parents else whole_path(config.task)
    earlier = None if config.earlier is None else whole_path(config.earlier)
    config = config.model_copy(update={"task": where, "student": student, "earlier": earlier})  # read from anywhere
    task = load_task(config.task)
    check_earlier(config, task)
    plan = plan_of(config, task)
    task.draw(config.shots, rng(config.seed, 0, "shots"))
    for note in notes(config, task):
        watcher.note(note)
    run = RunDir.create(root)
    with run.alone():
        return _drive(config, plan, task, run, identity(task), watcher)


def resume(root: Path, watcher: Watcher) -> dict[str, Any]:
    """Continues the run in `root` where it was cut; a finished run is only read.

    Raises:
        UserError: the task's data changed since, this version would build another graph, or another process runs it.
    """
    run = RunDir.open(root)
    config = resolve(read_recipe(run.config), where=str(run.config))
    task = load_task(config.task)
    birth = born(run, task)
    plan = plan_of(config, task)
    if run.graph.exists() and run.graph.read_text(encoding="utf-8") != drawing(plan):
        remedy = "An ablation cannot change in the middle of a run; start a new one."
        raise UserError(Fault(str(run.graph), "the graph the run began with", "another", remedy))
    with run.alone():
        return _drive(config, plan, task, run, birth, watcher)


def born(run: RunDir, task: Task) -> dict[str, Any]:
    """What run.json holds. Raises UserError when `task` is not what the run began with."""
    birth: dict[str, Any] = read_json(run.identity)
    if fingerprint(task) != birth["task"]:
        remedy = "Restore the data, or start a new run."
        raise UserError(Fault(f"{run.root}: task {task.name}", "the data the run began with", "other data", remedy))
    return birth


def _drive(
    config: RunConfig, plan: Plan, task: Task, run: RunDir, birth: dict[str, Any], watcher: Watcher
) -> dict[str, Any]:
    task, shots = task.draw(config.shots, rng(config.seed, 0, "shots"))
    needed = needs_teacher(plan)
    if needed and config.teacher.mode == "live" and config.teacher.base_url == LOCAL:
        fetch(config.teacher.model, watcher.say)
        watcher.say(f"starting the local teacher {config.teacher.model}")
    with closing(open_teacher(config.teacher, config.budget, str(birth["id"]), needed=needed)) as teacher:
        if needed:
            check_logprobs(config, task, teacher, watcher)
            check_goes_on(plan, teacher)
        from agent.student.opening import open_student  # torch takes seconds: not before the rest is known to be well

        settled = settled_student(config.student, plan, task)
        student = open_student(
            settled, list(task.labels), fetch(config.student.model, watcher.say), task.several, task.spans,
            task.kind if task.written else None,
        )  # fmt: skip
        fixed = settled.model_copy(update={"dtype": student.dtype, "device": student.device})
        config = config.model_copy(update={"student": fixed})
        if not run.config.exists():
            write_json(run.identity, birth)
            write_text(run.graph, drawing(plan))
            if needed:
                write_json(run.capabilities, {role: teacher.can(role).to_json() for role in get_args(Role)})
            write_text(run.config, dump(config))
        shared = config.teacher.same_processor
        if shared is None:
            shared = config.teacher.base_url == LOCAL and student.device == "cpu"
        turns = Lock() if shared else nullcontext()
        context = Context(config, task, shots, run, teacher, student, watcher.notify, turns)
        watcher.watch(context)
        stream(context, plan)
    if not run.result.exists():  # the checkpoint says that the run ended, so nothing ran
        remedy = "Restore it, or start a new run: the ledger answers what was paid."
        raise UserError(Fault(str(run.root), "result.json of a run that ended", "none", remedy))
    result: dict[str, Any] = read_json(run.result)
    return result


def check_logprobs(config: RunConfig, task: Task, teacher: Teacher, watcher: Watcher) -> None:
    """Says that written answers cannot be compared sentence by sentence, where the endpoint gives no log-probabilities.

    Raises:
        UserError: a rule lives on them.
    """
    if not task.written or teacher.can("labeller").top_logprobs:
        return
    for one in every(config):
        if (rule := rule_of(one)) in BY_SENTENCES:
            remedy = "Take another endpoint, or --set batch.rule=random or longest."
            raise UserError(Fault("teacher.labeller", f"log-probabilities, for batch.rule={rule}", "none", remedy))
    watcher.note("the endpoint gives no log-probabilities: answers are not compared sentence by sentence")


def check_goes_on(plan: Plan, teacher: Teacher) -> None:
    """One small call, where answers are to be continued: that the endpoint goes on from a beginning, which not all do.

    Raises:
        UserError: it does not.
    """
    if not plan.continuing:
        return
    begun = Request("labeller", COUNTING, 0.0, 24)
    expected = f"an endpoint that goes on from a begun answer, for {CONTINUING}"
    remedy = "Take another, or leave it out."
    try:
        reply = teacher.ask([begun], "begin", 0)[0]
    except UserError as error:
        raise UserError(Fault("teacher.labeller", expected, error.faults[0].got, remedy)) from error
    if reply is not None and not reply.text.strip().casefold().startswith("four"):
        raise UserError(Fault("teacher.labeller", expected, quoted(reply.text), remedy))


def settled_student(config: StudentConfig, plan: Plan, task: Task) -> StudentConfig:
    """`config` with what was left open: where a head begins, and for written answers room to write them in."""
    found: dict[str, Any] = {"head": config.head or ("probe" if plan.all_written else "seed")}
    if task.written and "max_length" not in config.model_fields_set:
        found["max_length"] = WRITTEN_LENGTH
    return config.model_copy(update=found)


def stream(context: Context, plan: Plan) -> None:
    """Runs the graph from its start, or from its last checkpoint, to its end."""
    context.run.sweep()
    with SqliteSaver.from_conn_string(str(context.run.checkpoints)) as saver:
        graph = build_graph(plan, saver)
        config: Any = {
            "configurable": {"thread_id": THREAD},
            "recursion_limit": 10 + NODES_AN_ITERATION * (plan.iterations + 2),
        }
        begun = graph.get_state(config).created_at is not None
        start: Any = None if begun else {"iteration": 0}
        for _ in graph.stream(start, config, context=context, durability="sync", stream_mode="updates"):
            pass


def identity(task: Task) -> dict[str, Any]:
    """What run.json holds: the run's id in the ledger, when it began, on what data and labels, with which versions."""
    versions = {"evokd": __version__, "python": platform.python_version()}
    versions |= {name: version(name) for name in PACKAGES}
    return {
        "id": uuid.uuid4().hex,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "task": fingerprint(task),
        "kind": task.kind,
        "labels": list(task.labels),
        "fields": list(task.fields),
        "spans": task.spans,
        "written": task.written,
        "free": task.free,
        "versions": versions,
    }


def fingerprint(task: Task) -> str:
    """A hash of the labels and of every text of the task."""
    parts = [[task.question, dict(task.labels)], *([_facts(e) for e in p] for p in
             (task.seed, task.dev, task.pool, task.test))]  # fmt: skip
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _facts(example: Example) -> list[Any]:
    entities = [] if example.entities is None else [[[e.start, e.end, e.label] for e in example.entities]]
    return [example.text, example.label, *entities, *([] if example.output is None else [example.output])]

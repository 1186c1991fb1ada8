"""compare: runs that have ended, side by side, from their folders alone. No teacher is asked, and no model loaded
but the one that BERTScore is asked of.

A run may also be meant as it was after an iteration (`RUN@2`), or, where the student writes its answers, as its base
was before any training (`RUN@base`).

What each scored and cost, which test texts went right or wrong against the first run, and which settings differ. Test
texts are shown to a person here, after the runs have ended; nothing is written into a run's folder. What `evokd teach`
added to a run since does not count.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from agent.config import read_recipe
from agent.experiments.collect import answers_of
from agent.experiments.kept import setting
from agent.experiments.meaning import by_meaning
from agent.experiments.statistics import Answers, Texts, outcomes, paired_difference
from agent.report.wording import points
from agent.run import fingerprint
from agent.rundir import RunDir, read_json, read_jsonl
from agent.state import rng
from agent.weights import Progress
from tasks.faults import Fault, UserError
from tasks.spans import in_words
from tasks.task import RIGHT, Example, load_task

BASE = "base"
PLACES = ("task", "teacher.ledger")
"""Settings that say where a file is: the data are compared, and the ledger decides nothing but who was paid."""
SHOWN = 3
"""Test texts of each outcome to read."""
READ = ("gained", "lost", "both_wrong")
"""Outcomes with texts to read."""


@dataclass(frozen=True)
class Ended:
    """One run, as its folder tells it."""

    place: Path
    config: dict[str, Any]
    """config.yaml."""
    birth: dict[str, Any]
    """run.json."""
    result: dict[str, Any]
    """result.json."""
    answers: Answers
    """Of the student to the measured test texts."""
    test: float
    iteration: int | None
    """After which the student is meant; None = its untrained base."""
    written: list[dict[str, Any]]
    """What it wrote to each, where it writes its answers: rows of written.jsonl."""

    @property
    def last(self) -> bool:
        """Whether it is the run's final student."""
        return bool(self.iteration == self.result["iterations"])

    @property
    def free(self) -> bool:
        """Whether answers are texts, which are more or less like the right one (tasks/instruction.py)."""
        return bool(self.birth.get("free"))

    @property
    def right(self) -> Texts:
        """The test texts that it has right."""
        return self.answers.like(RIGHT) if self.free else self.answers.correct


def compare(folders: Sequence[Path], bertscore: str | None = None, say: Progress | None = None) -> dict[str, Any]:
    """What `evokd compare --json` prints. Scores are 0 to 1; the first run is the one the others are compared with.

    `runs`: the facts, curve and difference of each; `against_first`: of each other run how many test texts are in each
    of the `outcomes`, and some of READ as `examples`, whose texts are known where `data_there`; `settings`: {setting:
    its value in each run} of those that differ, None where a run has none; `bertscore`: of free answers, where a model
    is named, what `by_meaning` gives.

    Raises:
        UserError: fewer than two runs, one twice, one that has not ended, or runs of other data or measurements; or a
            model named for answers that are not free, or no longer there.
    """
    if len({folder.resolve() for folder in folders}) < max(2, len(folders)):
        got = ", ".join(map(str, folders))
        raise UserError(Fault("RUN RUN...", "two run folders or more, each of them once", got, "Name the others."))
    runs = _ended(folders)
    first, others = runs[0], runs[1:]
    faults = [fault for other in others if (fault := unlike(first, other)) is not None]
    if faults:
        raise UserError(*faults)
    names, texts = names_of(folders), test_of(runs)
    return {
        "task": first.result["task"],
        "metric": first.result["metric"]["name"],
        "texts": len(first.answers.gold),
        "data_there": texts is not None,
        "runs": [{"name": name, **facts(run, first)} for name, run in zip(names, runs, strict=True)],
        "against_first": [
            {"name": name, **became(first, run, texts)} for name, run in zip(names[1:], others, strict=True)
        ],
        "settings": differing([{**run.config, "versions": run.birth["versions"]} for run in runs]),
        "bertscore": None if bertscore is None else _by_meaning(runs, texts, bertscore, say),
    }


def _by_meaning(runs: Sequence[Ended], texts: Sequence[Example] | None, model: str, say: Progress | None) -> Any:
    for run in runs:
        if not run.free or not run.written or texts is None:
            got = f"kind {run.birth['kind']}" if not run.free else "other data" if run.written else "none kept"
            expected = "a run with free answers to the test requests, and the requests as they were"
            raise UserError(Fault(f"--bertscore: {run.place}", expected, got, "Leave it out, or restore them."))
    said = [[str(row["text"]) for row in run.written] for run in runs]
    references = [one.output or "" for one in texts or ()]
    return by_meaning(model, said, references[: len(said[0])], say)


def names_of(folders: Sequence[Path]) -> list[str]:
    """The names of the folders; where two have the same, their paths below the folder that all are in."""
    places = [folder.resolve() for folder in folders]
    names = [place.name for place in places]
    if len(set(names)) == len(names):
        return names
    shared = os.path.commonpath(places)
    return [str(place.relative_to(shared)) for place in places]


def _ended(folders: Sequence[Path]) -> list[Ended]:
    runs: list[Ended] = []
    faults: list[Fault] = []
    for folder in folders:
        try:
            runs.append(read_ended(folder))
        except UserError as error:
            faults += error.faults
    if faults:
        raise UserError(*faults)
    return runs


def read_ended(place: Path) -> Ended:
    """The run of a folder, or of `folder@iteration` or `folder@base`.

    Raises:
        UserError: it is none, it has not ended, or it has no such iteration or no answers of it.
    """
    folder, which = split(place)
    run = RunDir.open(folder)
    if not run.result.exists():
        raise UserError(Fault("RUN", "a run that has ended", str(folder), f"`evokd resume {folder}` first."))
    result, birth = read_json(run.result), read_json(run.identity)
    iteration = None if which == BASE else int(which) if which else int(result["iterations"])
    here = run.iteration(iteration or 0)
    answers = here.base_answers if iteration is None else here.answers
    if not answers.exists():
        got = f"no {answers.relative_to(folder)}"
        remedy = f"Name an iteration up to {result['iterations']}, or restore the file."
        if iteration is None and not birth.get("written"):
            remedy = "A base answers only where answers are written out: leave @base out."
        raise UserError(Fault(str(place), "the student's answers to the test texts", got, remedy))
    measured, name = read_json(here.measured), result["metric"]["name"]
    test = measured["base" if iteration is None else "test"][name]
    wrote = read_jsonl(here.base_written if iteration is None else here.written)
    return Ended(place, read_recipe(run.config), birth, result, answers_of(read_json(answers)), test, iteration, wrote)


def split(place: Path) -> tuple[Path, str]:
    """The folder of a run and, of `folder@which`, the iteration or BASE that is meant; "" = its end."""
    name, _, which = place.name.rpartition("@")
    found = name and not place.exists() and (which == BASE or which.isdecimal())
    return (place.with_name(name), which) if found else (place, "")


def unlike(first: Ended, other: Ended) -> Fault | None:
    """Why the two cannot be compared; None where they can."""
    where, one, two = str(other.place), first.result, other.result
    if first.birth["task"] != other.birth["task"]:
        got = f"other data of task {two['task']}" if one["task"] == two["task"] else f"task {two['task']}"
        expected = f"the data of {first.place} (task {one['task']})"
        return Fault(where, expected, got, "Compare runs on the same data, and without changes to it between them.")
    if one["metric"]["name"] != two["metric"]["name"]:
        expected = f"{one['metric']['name']} as the result, as in {first.place}"
        return Fault(where, expected, two["metric"]["name"], "Compare runs of one metric.")
    if len(first.answers.gold) != len(other.answers.gold):
        expected = f"{len(first.answers.gold)} measured test texts, as in {first.place}"
        return Fault(where, expected, str(len(other.answers.gold)), "Compare runs of one test_limit.")
    return None


def facts(run: Ended, first: Ended) -> dict[str, Any]:
    """What one run is, scored and cost. `difference`: its score minus the first run's with a 95 % interval, paired by
    test text; None of the first itself."""
    result, difference = run.result, None
    if run is not first:
        difference = asdict(paired_difference([run.answers], [first.answers], len(run.birth["labels"])))
    return {
        "path": str(run.place),
        **{key: result[key] for key in ("strategy", "without", "seed", "shots")},
        "student": setting(run.config, "student.model"),
        "test": run.test,
        "difference": difference,
        **(paid(result) if run.last else {"teacher_tokens": tokens_at(run), "cost": None, "seconds": None}),
        "curve": up_to(run),
    }


def paid(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the whole run cost."""
    teacher = result["teacher"]
    tokens = teacher["prompt_tokens"] + teacher["completion_tokens"]
    return {"teacher_tokens": tokens, "cost": teacher["cost"], "seconds": result["seconds"]["total"]}


def tokens_at(run: Ended) -> int:
    """Teacher tokens paid for what the student had learned."""
    return max((int(point["teacher_tokens"]) for point in up_to(run)), default=0)


def up_to(run: Ended) -> list[dict[str, Any]]:
    """The points of the run's curve up to the iteration that is meant."""
    return [point for point in run.result["curve"] if run.iteration is not None and point["iteration"] <= run.iteration]


def became(first: Ended, other: Ended, texts: Sequence[Example] | None) -> dict[str, Any]:
    """Of the test texts how many have each outcome; of READ the SHOWN that come first when all are shuffled with the
    task's name as the seed, so that nobody chooses them."""
    found = outcomes(first.right, other.right)
    order = rng(0, 0, str(first.result["task"])).permutation(len(first.answers.gold))
    examples = {
        name: [to_read(int(place), first, other, texts) for place in [i for i in order if found[name][i]][:SHOWN]]
        for name in READ
    }
    return {**{name: int(some.sum()) for name, some in found.items()}, "examples": examples}


def to_read(place: int, first: Ended, other: Ended, texts: Sequence[Example] | None) -> dict[str, Any]:
    """The test text at `place` (its row in the test data, from 0): what is right, what both said, and the text; None
    for what only the data tells, where they are gone."""
    example = None if texts is None else texts[place]
    return {
        "index": place,
        "gold": _gold(first, place, example),
        "first": _said(first, place),
        "this": _said(other, place),
        "text": None if example is None else example.text,
    }


def _gold(run: Ended, place: int, example: Example | None) -> str | None:
    if run.answers.right is None:
        return str(run.birth["labels"][int(run.answers.gold[place])])
    if example is None or example.entities is None:
        return None if example is None else example.output or example.label
    return in_words(example.text, example.entities)


def _said(run: Ended, place: int) -> str:
    """A label; of entities their counts; what was written, or of a run that did not keep it whether the choice was
    right, or how like the free answer is to the right one."""
    answers = run.answers
    if answers.right is None:
        return str(run.birth["labels"][int(answers.predicted[place])])
    if run.written:
        end = "" if run.written[place]["stopped"] else " (cut)"
        return f"{run.written[place]['text']}{end}"
    if run.free:
        return f"chrF {points(float(answers.right[place] / answers.gold[place]))}"
    if not run.birth.get("spans"):
        return "right" if answers.correct[place] else "wrong"
    gold, predicted, right = (int(part[place]) for part in (answers.gold, answers.predicted, answers.right))
    return f"{predicted} said, {right} of {gold} right"


def test_of(runs: Sequence[Ended]) -> tuple[Example, ...] | None:
    """The test texts; None where no run's task has the data any more that they all began with."""
    for name in dict.fromkeys(str(run.config["task"]) for run in runs):
        with suppress(UserError):
            task = load_task(name)
            if fingerprint(task) == runs[0].birth["task"]:
                return task.test
    return None


def differing(configs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """{setting, by dots: its value in each} where they are not all the same, without PLACES."""
    flat = [_flat(config) for config in configs]
    names = dict.fromkeys(name for one in flat for name in one if name not in PLACES)
    values = {name: [one.get(name) for one in flat] for name in names}
    return {name: found for name, found in values.items() if any(value != found[0] for value in found)}


def _flat(fields: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
            value = {str(number): one for number, one in enumerate(value, 1)}  # the stages of a run
        found |= _flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
    return found

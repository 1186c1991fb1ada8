"""judge: two students' answers to the test requests, compared by the teacher, each pair twice with changed places.

Pairwise judging with swapped positions (Zheng et al., arXiv 2306.05685, §3.4): a judge likes one place more, so a
student wins a request only where it is preferred in both; all else is a tie. The test texts are shown to the teacher
here, after the runs have ended; nothing is chosen or trained by what it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from agent.config import BudgetConfig, RunConfig, resolve
from agent.experiments.compare import Ended, names_of, read_ended, test_of, unlike
from agent.experiments.statistics import DRAWS, Difference
from agent.progress import Progress
from agent.state import rng
from agent.teacher.labels import parse_label
from agent.teacher.messages import Request
from agent.teacher.route import LOCAL
from agent.teacher.teacher import open_teacher
from agent.weights import fetch
from prompts.render import render
from tasks.faults import Fault, UserError
from tasks.task import Example, Task, load_task

Verdict = Literal["first", "second", "tie"]
SAYS = ("A", "B", "C")


@dataclass(frozen=True)
class Judged:
    """One request."""

    index: int
    """Its row in the test data, from 0."""
    verdict: Verdict
    said: tuple[str | None, ...]
    """What the judge said with the first student in place A, and in place B; None where it was none of SAYS; () where
    both had written the same, of which nobody was asked."""


def judge(places: Sequence[Path], limit: int | None, sets: Sequence[str], progress: Progress) -> dict[str, Any]:
    """What `evokd judge --json` prints; `sets` change the settings of the teacher of the second run.

    Raises:
        UserError: not two runs of free answers on the same data that kept what was written; no endpoint.
    """
    first, second = runs = [read_ended(place) for place in places]
    if (fault := unlike(first, second)) is not None:
        raise UserError(fault)
    for run in runs:
        if not run.free or not run.written:
            got = "none kept" if run.free else f"kind {run.birth['kind']}"
            remedy = "Only tasks of kind instruction are judged, and runs that kept written.jsonl."
            raise UserError(Fault(str(run.place), "a run with free answers to the test requests", got, remedy))
    texts = test_of(runs)
    if texts is None:
        remedy = "Restore the task's data."
        raise UserError(Fault(str(first.place), "the test requests that the run began with", "other data", remedy))
    order = rng(0, 0, f"judge-{first.result['task']}").permutation(len(first.written))[:limit]
    config = resolve(second.config, sets, f"{second.place}: config.yaml")
    judged = asked_twice(config, texts, first, second, sorted(int(place) for place in order), progress)
    return told(names_of(places), judged)


def asked_twice(
    config: RunConfig, texts: Sequence[Example], first: Ended, second: Ended, places: Sequence[int], progress: Progress
) -> list[Judged]:
    """The verdict on each of the requests at `places`."""
    if config.teacher.mode == "live" and config.teacher.base_url == LOCAL:
        fetch(config.teacher.model, progress.say)
    task = load_task(config.task)
    wrote = {i: (str(first.written[i]["text"]), str(second.written[i]["text"])) for i in places}
    asked = [i for i, (one, other) in wrote.items() if one.strip() != other.strip()]
    requests = [request(task, texts[i], answers) for i in asked for answers in (wrote[i], wrote[i][::-1])]
    with closing(open_teacher(config.teacher, BudgetConfig(), f"{second.birth['id']}-judge")) as teacher:
        replies = teacher.ask(requests, "judge", 0)
    said = [None if reply is None else parse_label(reply.text, SAYS) for reply in replies]
    found = {i: (said[2 * n], said[2 * n + 1]) for n, i in enumerate(asked)}
    return [Judged(i, verdict(*found[i]), found[i]) if i in found else Judged(i, "tie", ()) for i in places]


def request(task: Task, example: Example, answers: Sequence[str]) -> Request:
    """Which of two `answers`, in places A and B, is better."""
    messages = render("judge", task=task, text=example.text, gold=example.output, answers=answers)
    return Request(role="labeller", messages=messages, temperature=0.0, max_tokens=8)


def verdict(in_place_a: str | None, in_place_b: str | None) -> Verdict:
    """Of what the judge said with the first student in place A, and in place B."""
    if (in_place_a, in_place_b) == ("A", "B"):
        return "first"
    return "second" if (in_place_a, in_place_b) == ("B", "A") else "tie"


def told(names: Sequence[str], judged: Sequence[Judged]) -> dict[str, Any]:
    """Wins of both, ties, and how far the second is ahead (wins − losses, a share of the requests) with a 95 % interval
    over requests; beside it how often the judge took the answer in place A, that is, its taste for a place."""
    wins = np.array([{"first": -1, "second": 1, "tie": 0}[one.verdict] for one in judged])
    draws = rng(0, 0, "judge-bootstrap").integers(len(wins), size=(DRAWS, len(wins)))
    low, high = np.quantile(wins[draws].mean(axis=1), [0.025, 0.975])
    spoken = [said for one in judged for said in one.said]
    return {
        "first": names[0], "second": names[1], "requests": len(judged),
        "first_wins": int((wins < 0).sum()), "second_wins": int((wins > 0).sum()), "ties": int((wins == 0).sum()),
        "same_text": sum(not one.said for one in judged),
        "ahead": asdict(Difference(float(wins.mean()), float(low), float(high))),
        "in_place_a": spoken.count("A") / len(spoken) if spoken else None,
        "unread": spoken.count(None),
        "judged": [asdict(one) for one in judged],
    }  # fmt: skip

"""analyze: the teacher reads what the student got wrong and right, and names its weaknesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langgraph.runtime import Runtime

from agent.afford import generating_calls
from agent.report.wording import clip
from agent.rundir import read_jsonl, write_json
from agent.state import Context, State, TeacherLane
from agent.teacher.messages import Reply, Request
from agent.trust import Guard, hard, to_write
from prompts.render import render
from tasks.spans import in_words
from tasks.task import Task

WRONG_SHOWN, CORRECT_SHOWN, WEAKNESSES = 6, 3, 3
LONGEST = 300
"""Characters of a text that the analyst reads."""

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "weaknesses": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in ("pattern", "label", "advice")},
                "required": ["pattern", "label", "advice"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["weaknesses"],
    "additionalProperties": False,
}


def analyze(
    state: State, runtime: Runtime[Context], places: Mapping[str, int], guard: Guard, with_correct: bool = True
) -> TeacherLane:
    """Writes analysis.json. Nothing is asked while there is nothing wrong to show, or nothing will be written."""
    context, iteration = runtime.context, state["iteration"]
    here = context.run.iteration(iteration)
    wrong, correct = chosen(read_jsonl(here.predictions), with_correct)
    if not wrong:
        write_json(here.analysis, _record([], "", 0, 0, None))
        return {}
    if guard.hardness and hard(context.run, iteration) is False:  # easy texts are written without it
        write_json(here.analysis, _record([], "", len(wrong), len(correct), "not_hard"))
        return {}
    writing = any(to_write(context.run, iteration, places, context.task.choices, guard).values())
    if not writing or generating_calls(context, iteration, "analyze") < 1:
        write_json(here.analysis, _record([], "", len(wrong), len(correct), "nothing_to_write"))
        return {}
    reply = context.teacher.ask([request(context.task, wrong, correct)], "analyze", iteration)[0]
    if reply is None:
        write_json(here.analysis, _record([], "", len(wrong), len(correct), "budget"))
        return {"budget_ended": context.teacher.budget_ended}
    found = weaknesses(reply, list(context.task.labels))
    write_json(here.analysis, _record(found, reply.text, len(wrong), len(correct), reply.fault))
    return {}


def chosen(
    rows: Sequence[Mapping[str, Any]], with_correct: bool
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """The wrong and correct answers to show: wrong where the teacher is surest, labels in turn.

    "Wrong" means "not the teacher's label", so a doubtful label of the teacher would come back as a weakness.
    """

    def surest(row: Mapping[str, Any]) -> float:
        known = row.get("teacher_confidence")
        return 1.0 if known is None else float(known)

    ranked = sorted(rows, key=lambda row: -surest(row))
    wrong = _in_turn([row for row in ranked if not row["correct"]], WRONG_SHOWN)
    correct = _in_turn([row for row in ranked if row["correct"]], CORRECT_SHOWN) if with_correct else []
    return wrong, correct


def request(task: Task, wrong: Sequence[Mapping[str, Any]], correct: Sequence[Mapping[str, Any]]) -> Request:
    """The analyst's request."""
    slots = {
        name: [{**row, **sides(row), "text": task.line(str(row["text"]), LONGEST)} for row in rows]
        for name, rows in (("wrong", wrong), ("correct", correct))
    }
    return Request(
        role="analyst",
        messages=render("analyze", task=task, limit=WEAKNESSES, **slots),
        temperature=0.3,
        max_tokens=400,
        schema=SCHEMA,
    )


def sides(row: Mapping[str, Any]) -> dict[str, str]:
    """Both answers of a row in words, where they are entities or free."""
    if row.get("output") is not None:
        given = {"label": row["output"], "predicted": row["written"] or "nothing"}
        return {side: clip(text, LONGEST) for side, text in given.items()}
    named = {"label": "entities", "predicted": "predicted_entities"}
    return {side: in_words(str(row["text"]), row[key]) for side, key in named.items() if row.get(key) is not None}


def weaknesses(reply: Reply, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The weaknesses of a reply. A label outside the set becomes None; the pattern is kept for the reader."""
    if not isinstance(reply.parsed, dict):
        return []
    by_name = {label.casefold(): label for label in labels}
    return [
        {**item, "label": by_name.get(str(item["label"]).strip().casefold())}
        for item in reply.parsed["weaknesses"][:WEAKNESSES]
    ]


def _in_turn(rows: Sequence[Mapping[str, Any]], limit: int) -> list[Mapping[str, Any]]:
    """At most `limit` rows, one of each label in turn, so that no label crowds out the others."""
    queues = {label: [r for r in rows if r["label"] == label] for label in dict.fromkeys(r["label"] for r in rows)}
    taken: list[Mapping[str, Any]] = []
    while len(taken) < limit and any(queues.values()):
        taken += [queue.pop(0) for queue in queues.values() if queue]
    return taken[:limit]


def _record(found: list[dict[str, Any]], text: str, wrong: int, correct: int, fault: str | None) -> dict[str, Any]:
    return {"weaknesses": found, "text": text, "wrong_shown": wrong, "correct_shown": correct, "fault": fault}

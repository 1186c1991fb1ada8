"""A toy task of choices (which of two is warm?) on disk, and a teacher's answers, not all of them in the form asked."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tasks.written import written
from tests.fakes.fake_teacher import Body, last_message, share
from tests.fakes.toy import toy_answer

WARM = "fire oven sun lamp stove kettle candle ember".split()
COLD = "ice snow frost hail sleet glacier icicle freezer".split()

ASKED = re.compile(r'(?:Write|in) (\d+) (?:new|different) .*has the right choice "([AB])"', re.DOTALL)

TASK = """\
name: warmth
kind: choice
text: question
question: Which choice is right?
labels: [A, B]
attributes: {subject: [home, outdoors]}
data: {seed: seed.jsonl, test: test.jsonl, dev: dev.jsonl, pool: pool.jsonl}
"""


def question(number: str, right: str | None = None) -> dict[str, Any]:
    """A row; the same for the same `number`, the warm choice at `right` where it is given."""
    right = right or ("A" if share(number, "side") < 0.5 else "B")
    warm, cold = (f"the {names[int(share(number, salt) * len(names))]}" for names, salt in ((WARM, "w"), (COLD, "c")))
    choices = {"A": warm, "B": cold} if right == "A" else {"A": cold, "B": warm}
    return {"question": f"Which of these is warm, {number}?", "choices": choices, "answer": right}


def write_toy_choice(folder: Path, pool: int = 60) -> Path:
    """Writes the task into `folder`; returns its task.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in {"seed": 8, "test": 20, "dev": 10, "pool": pool}.items():
        rows = [question(f"{part}{i}", "AB"[i % 2]) for i in range(size)]
        rows = [{**row, "reasoning": "one of them burns, so it is warm"} if part == "seed" else row for row in rows]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file = folder / "task.yaml"
    file.write_text(TASK, encoding="utf-8")
    return file


def toy_choice_answer(body: Body) -> str:
    """What a teacher who knows what is warm answers; now and then without a reason, or with the letter alone."""
    said, whole = last_message(body), json.dumps(body)
    if "weaknesses" in said:
        weakness = {"pattern": "things out of doors", "label": "A", "advice": "ask about the sun"}
        return json.dumps({"weaknesses": [weakness]})
    if said.startswith("Which of these is warm"):
        lines = dict(line.split(". ", 1) for line in said.splitlines()[1:3])
        letter = next(letter for letter, choice in lines.items() if choice.removeprefix("the ") in WARM)
        slip = share(said, "slip")
        if slip < 0.2:
            return letter
        return written("warm" if slip < 0.35 else f"{lines[letter]} gives off heat", letter)
    if asked := ASKED.search(said):
        count, letter = int(asked[1]), asked[2]
        rows = [question(f"g{share(whole, str(i)):.9f}", letter) for i in range(count)]
        return json.dumps({"texts": [{"question": row["question"], **row["choices"]} for row in rows]})
    return toy_answer(body)

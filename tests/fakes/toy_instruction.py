"""A toy task of instructions (describe a thing) on disk, and a teacher's answers, some of them empty or in circles."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.fakes.fake_teacher import Body, last_message, share
from tests.fakes.toy import toy_answer
from tests.fakes.toy_choice import COLD, WARM

ASKED = re.compile(r"(?:Write|in) (\d+) (?:new|different) .*(?:with all that is needed|has the same answer)", re.DOTALL)
TASK = """\
name: things
kind: instruction
text: request to describe a thing
attributes: {subject: [home, outdoors]}
data: {seed: seed.jsonl, test: test.jsonl, dev: dev.jsonl, pool: pool.jsonl}
"""


def request(number: str) -> dict[str, Any]:
    """A row; the same for the same `number`."""
    names = WARM + COLD
    thing = names[int(share(number, "thing") * len(names))]
    feels = "It gives off heat." if thing in WARM else "It is cold to the touch."
    return {"instruction": f"Describe the {thing}, number {number}.", "input": "In short.",
            "output": f"This is the {thing}. {feels}"}  # fmt: skip


def write_toy_instruction(folder: Path, pool: int = 60) -> Path:
    """Writes the task into `folder`; returns its task.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in {"seed": 8, "test": 20, "dev": 10, "pool": pool}.items():
        rows = [request(f"{part}{i}") for i in range(size)]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    file = folder / "task.yaml"
    file.write_text(TASK, encoding="utf-8")
    return file


def toy_instruction_answer(body: Body) -> str:
    """Of several draws each says a sentence more than the one before."""
    said, whole = last_message(body), json.dumps(body)
    if "weaknesses" in said:
        weakness = {"pattern": "things out of doors", "label": "answer", "advice": "ask about the sun"}
        return json.dumps({"weaknesses": [weakness]})
    if said.startswith("Describe the "):
        slip = share(said, "slip")
        if slip < 0.1:
            return "so it is and so it was " * 5
        thing = said.split()[2].rstrip(",")
        feels = "It gives off heat." if thing in WARM else "It is cold to the touch."
        return " ".join([f"This is the {thing}.", feels, *["Nobody doubts that."] * int(body.get("seed", 0))])
    if asked := ASKED.search(said):
        rows = [request(f"g{share(whole, str(i)):.9f}") for i in range(int(asked[1]))]
        return json.dumps({"texts": [f"{row['instruction']}\n\n{row['input']}" for row in rows]})
    return toy_answer(body)

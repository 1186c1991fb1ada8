"""A toy task (are the colours of this text warm or cold?) on disk, and a teacher's answers for it.

Everything depends on the request alone, so that two runs get the same answers.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.fakes.fake_teacher import Body, last_message, share

WARM = "red orange amber scarlet gold coral crimson copper rust peach".split()
COLD = "blue teal navy cyan azure indigo slate violet mint silver".split()
FILLERS = "the old house door near wall garden lamp boat street window roof chair field morning river".split()
ASKED = re.compile(r'(?:Write|Rephrase this text in) (\d+) [^"]*"(warm|cold)"')

TASK = """\
name: toy
kind: classification
text: sentence
question: Are the colours warm or cold?
labels: [warm, cold]
attributes: {subject: [a house, a boat, a garden]}
data: {seed: seed.jsonl, test: test.jsonl, dev: dev.jsonl, pool: pool.jsonl}
"""


def sentence(label: str, number: str) -> str:
    """A text of `label`; the same for the same `number`."""
    words = WARM if label == "warm" else COLD

    def pick(choices: list[str], salt: str) -> str:
        return choices[int(share(number, salt) * len(choices))]

    fillers = " ".join(pick(FILLERS, f"{salt}") for salt in range(5))
    return f"{pick(words, 'a')} and {pick(words, 'b')} {fillers} {number}"


def write_toy(folder: Path, pool: int = 60) -> Path:
    """Writes the task into `folder`; returns its task.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    sizes = {"seed": 8, "test": 20, "dev": 10, "pool": pool}
    for part, size in sizes.items():
        rows = []
        for i in range(size):
            label = ("warm", "cold")[i % 2]
            row = {"text": sentence(label, f"{part}{i}")}
            rows.append(row if part == "pool" and i % 3 == 0 else {**row, "label": label})
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{part}.jsonl").write_text(lines, encoding="utf-8")
    file = folder / "task.yaml"
    file.write_text(TASK, encoding="utf-8")
    return file


def toy_answer(body: Body) -> str:
    """What a teacher who knows its colours answers to each of the loop's calls, and to the probe."""
    said = last_message(body)
    whole = json.dumps(body)
    if "capital of France" in said:
        return json.dumps({"city": "Paris"}) if "response_format" in body else "Paris"
    if "weaknesses" in said:
        weakness = {"pattern": "dull warm colours", "label": "warm", "advice": "write of rust and copper"}
        return json.dumps({"weaknesses": [weakness]})
    if asked := ASKED.search(said):
        numbers = [f"g{share(whole, str(i)):.9f}" for i in range(int(asked[1]))]
        return json.dumps({"texts": [sentence(asked[2], number) for number in numbers]})
    words = set(said.split())
    return "warm" if len(words & set(WARM)) >= len(words & set(COLD)) else "cold"

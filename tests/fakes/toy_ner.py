"""A toy task of entities (which dishes and which guests does this sentence name?) on disk, and a teacher's answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.fakes.fake_teacher import Body, last_message, share

DISHES = "plum cake,lentil soup,rye bread,pear tart,bean stew,goat cheese,leek pie,oat porridge".split(",")
GUESTS = "Ada,Bruno,Celia,Dorian,Edith Lowe,Felix,Greta,Hugo Marsh".split(",")
FILLERS = "at noon by the window in a hurry with the others after the rain on the porch before work".split()
ASKED = re.compile(r'(?:Write|Rephrase this text in) (\d+) [^"]*label "(dish|guest)"')

TASK = """\
name: table
kind: ner
text: sentence
question: Which dishes and guests does this sentence name?
labels: [dish, guest]
attributes: {subject: [breakfast, a party]}
data: {seed: seed.jsonl, test: test.jsonl, dev: dev.jsonl, pool: pool.jsonl}
"""


def sentence(number: str, label: str | None = None) -> str:
    """A text with an entity of `label`; the same for the same `number`; without one where it is None."""

    def pick(choices: list[str], salt: str) -> str:
        return choices[int(share(number, salt) * len(choices))]

    rest = f"{pick(FILLERS, 'c')} {pick(FILLERS, 'd')} {number}"
    if label is None:
        return f"nobody ate {rest}"
    both = share(number, "both") < 0.5
    who = pick(GUESTS, "a") if both or label == "guest" else "someone"
    what = pick(DISHES, "b") if both or label == "dish" else "something"
    return f"{who} had the {what} {rest}"


def named(text: str) -> list[dict[str, Any]]:
    """The entities of a sentence, as a row of data has them."""
    known = [(name, label) for names, label in ((DISHES, "dish"), (GUESTS, "guest")) for name in names]
    places = [(text.find(name), name, label) for name, label in known]
    return [{"start": at, "end": at + len(name), "label": label} for at, name, label in sorted(places) if at >= 0]


def write_toy_ner(folder: Path, pool: int = 60) -> Path:
    """Writes the task into `folder`; returns its task.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in {"seed": 8, "test": 20, "dev": 10, "pool": pool}.items():
        rows: list[dict[str, Any]] = []
        for i in range(size):
            text = sentence(f"{part}{i}", ("dish", "guest", None)[i % (2 if part == "seed" else 3)])
            rows.append({"text": text} if part == "pool" and i % 4 == 0 else {"text": text, "entities": named(text)})
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{part}.jsonl").write_text(lines, encoding="utf-8")
    file = folder / "task.yaml"
    file.write_text(TASK, encoding="utf-8")
    return file


def toy_ner_answer(body: Body) -> str:
    """What a teacher who knows the table answers to each of the loop's calls. It slips where `number` says so: it names
    a guest who is not there, or a time of day."""
    said, whole = last_message(body), json.dumps(body)
    if "weaknesses" in said:
        weakness = {"pattern": "dishes of two words", "label": "dish", "advice": "write of cakes and pies"}
        return json.dumps({"weaknesses": [weakness]})
    if asked := ASKED.search(said):
        numbers = [f"g{share(whole, str(i)):.9f}" for i in range(int(asked[1]))]
        return json.dumps({"texts": [sentence(number, asked[2]) for number in numbers]})
    entities = [{"text": said[one["start"] : one["end"]], "label": one["label"]} for one in named(said)]
    slip = share(said, "slip")
    if slip < 0.15:
        entities.append({"text": "Zacharias", "label": "guest"})
    elif slip < 0.3:
        entities.append({"text": said.split()[-1], "label": "time"})
    return json.dumps({"entities": entities})

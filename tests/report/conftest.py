"""A run folder made by hand, as the nodes would write it: every number is known, the texts are odd."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.rundir import IterationDir, RunDir, append_jsonl, write_json, write_jsonl, write_text

ODD = (
    'Stock <b>rises</b> | a pipe, `ticks` and "quotes" & co',
    "</script><script>alert('x')</script>",
    "مرحبا بالعالم 🌍 and \u202eback to front",
    "Llanfairpwllgwyngyll" * 12,
    "two\nlines\r\nand [a link](javascript:alert(1)) of *stars* $x$",
    "half a character \ud83d and a bell \x07",
)
LABELS = ("world", "sport", "business|<i>")
MakeRun = Callable[..., RunDir]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    def make(labels: Sequence[str] = LABELS, iterations: int = 3, **config: Any) -> RunDir:
        return write_run(tmp_path / "run", labels, iterations, **config)

    return make


@pytest.fixture
def run(make_run: MakeRun) -> RunDir:
    """Iterations 0 to 3, three classes, ended."""
    return make_run()


def write_run(root: Path, labels: Sequence[str], iterations: int, n: int = 12, **config: Any) -> RunDir:
    """`iterations` after the seed, `n` examples a batch, a third of them wrong; `config` over config.yaml."""
    run = RunDir.create(root)
    settings = {"task": "agnews", "strategy": "evokd", "without": [], "seed": 1, "shots": 1,
                "iterations": iterations, "student": {"model": "all-MiniLM-L6-v2"},
                "teacher": {"base_url": "local", "model": "qwen<2.5>"}, **config}  # fmt: skip
    write_text(run.config, yaml.safe_dump(settings, allow_unicode=True))
    write_text(run.graph, "graph TD;\n  seed --> score --> evaluate --> analyze --> generate --> label;\n  sample\n")
    for k in range(iterations + 1):
        _iteration(run.iteration(k), labels, k, n, last=k == iterations)
        append_jsonl(run.metrics, _metrics(labels, k, n))
    end = _metrics(labels, iterations, n)
    result = {
        **{key: settings[key] for key in ("task", "strategy", "without", "seed", "shots")},
        "metric": {"name": "macro_f1", "test": end["test"]["macro_f1"], "dev": end["dev"]["macro_f1"]},
        "curve": [
            {"iteration": k, "teacher_tokens": 3000 * k, "test": _measure(labels, k)["macro_f1"]}
            for k in range(iterations + 1)
        ],
        "teacher": end["teacher"], "seconds": {"total": 754.2, "teacher": 500.0, "student": 301.5},
        "iterations": iterations, "stopped_because": "iterations",
        "versions": {"evokd": "0.1", "python": "3.11"},
    }  # fmt: skip
    write_json(run.result, result)
    return run


def _iteration(folder: IterationDir, labels: Sequence[str], k: int, n: int, last: bool) -> None:
    batch = [_example(labels, k, i) for i in range(n if k else len(labels))]
    write_jsonl_of_any_text(folder.batch, batch)
    write_json(folder.measured, {"test": _measure(labels, k), "dev": _measure(labels, k, 10, -0.04)})
    losses = [1.2 / (1 + step / 20) / (1 + k / 4) + 0.03 * (step % 3) for step in range(60 + 20 * k)]
    write_json(folder.training, {"examples": n, "new": n, "replayed": 0, "losses": losses, "truncated": 0})
    if k:
        write_jsonl_of_any_text(folder.predictions, [_answer(labels, row, i) for i, row in enumerate(batch)])
        das = [None, *((i * 7 % 20) / 10 - 0.9 for i in range(1, 24))]
        scored = [{"id": f"s{i}", "source": "hard", "das": d, "kept": (d or -1) > 0.1} for i, d in enumerate(das)]
        write_jsonl(folder.root / "scored.jsonl", scored)
        weak = [
            {"pattern": f"irony in {label}", "label": label, "advice": "contrast *both* | senses"}
            for label in labels[:3]
        ]
        analysis = {"weaknesses": weak, "text": "raw", "wrong_shown": 4, "correct_shown": 8, "fault": None}
        write_json(folder.analysis, analysis)
    if not last:
        made = [_example(labels, k + 1, i) for i in range(n)]
        rows = [
            {"text": row["text"], "intended": row["intended"], "source": row["source"],
             "pattern": f"irony in {row['intended']}" if k else None, "attributes": {}}
            for row in made if row["source"] != "pool"
        ]  # fmt: skip
        write_jsonl_of_any_text(folder.generated, rows)
        write_jsonl_of_any_text(folder.sampled, [{"text": row["text"]} for row in made if row["source"] == "pool"])
        lost = [{"node": "label", "reason": "disagrees", "text": "</pre><h1>x", "detail": None},
                {"node": "generate", "reason": "duplicate", "text": None, "detail": "0.93"},
                {"node": "label", "reason": "disagrees", "text": "b", "detail": None}]  # fmt: skip
        write_jsonl(folder.dropped, lost)


def write_jsonl_of_any_text(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """JSON with \\u escapes: half a character can stand in a file so, and be read back."""
    for row in rows:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def _example(labels: Sequence[str], k: int, i: int) -> dict[str, Any]:
    source = ("hard", "easy", "pool")[i % 3] if k else "seed"
    label = labels[i % len(labels)]
    return {"id": f"i{k:03d}-{i:04d}", "text": f"{ODD[i % len(ODD)]} #{k}-{i}", "label": label,
            "iteration": k, "source": source, "intended": label, "teacher_label": label,
            "teacher_confidence": 0.9, "teacher_distribution": None, "agrees": True,
            "student_confidence": 0.4, "das": 0.5}  # fmt: skip


def _answer(labels: Sequence[str], row: dict[str, Any], i: int) -> dict[str, Any]:
    """Every pool text is wrong (the label after its own), all others are right."""
    correct = row["source"] != "pool"
    predicted = row["label"] if correct else labels[(labels.index(row["label"]) + 1) % len(labels)]
    return {"id": row["id"], "text": row["text"], "label": row["label"], "predicted": predicted,
            "confidence": 0.5 + i % 40 / 100, "correct": correct, "source": row["source"]}  # fmt: skip


def _measure(labels: Sequence[str], k: int, support: int = 100, shift: float = 0.0) -> dict[str, Any]:
    """Class j has F1 0.4 + 0.1 k − 0.05 (j mod 5) + shift, at most 1."""
    f1 = [min(1.0, 0.4 + 0.1 * k - 0.05 * (j % 5) + shift) for j in range(len(labels))]
    right = [round(support * value) for value in f1]
    size = len(labels)
    matrix = [[0] * size for _ in labels]
    for j, hits in enumerate(right):
        matrix[j][j] = hits
        matrix[j][(j + 1) % size] += support - hits
    per_class = {
        label: {"precision": value, "recall": value, "f1": value, "support": support}
        for label, value in zip(labels, f1, strict=True)
    }
    mean = sum(f1) / size
    return {"n": size * support, "accuracy": mean, "macro_precision": mean, "macro_recall": mean,
            "macro_f1": mean, "per_class": per_class,
            "confusion": {"labels": list(labels), "matrix": matrix}}  # fmt: skip


def _metrics(labels: Sequence[str], k: int, n: int) -> dict[str, Any]:
    batch = [_example(labels, k, i) for i in range(n if k else len(labels))]
    kept = len(batch)
    dropped = {"disagrees": 2, "duplicate": 1} if k else {}
    third = {"n": n // 3, "accuracy": 1.0}
    examined = {"n": n, "accuracy": 2 / 3, "by_source": {"hard": third, "easy": third}}
    seconds = {"train": 30.0 + k, "generate": 12.0, "label": 20.5, "measure": 4.0}
    return {
        "iteration": k, "test": _measure(labels, k), "dev": _measure(labels, k, 10, -0.04),
        "prequential": examined if k else None,
        "counts": {"made": kept + sum(dropped.values()), "kept": kept, "dropped": dropped,
                   "by_source": dict(Counter(row["source"] for row in batch)),
                   "by_label": dict(Counter(row["label"] for row in batch))},
        "teacher": {"calls": 20 * k, "prompt_tokens": 2400 * k, "completion_tokens": 600 * k,
                    "cached_calls": 5 * k, "cost": None},
        "seconds": seconds if k else {"seed": 9.0},
    }  # fmt: skip

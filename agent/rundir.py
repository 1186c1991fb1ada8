"""The names of all files of a run, and the two ways they are written: atomically, or one line at its end.

Everything a node writes can be written again with the same result: a resumed node replaces its own
rows, it never adds them twice.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tasks.faults import Fault, UserError

LOCK = ".lock"


@dataclass(frozen=True)
class RunDir:
    """A run folder. Paths in the graph state are relative to `root`."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> RunDir:
        """A new run folder; an existing one is refused, never overwritten."""
        if root.exists() and not root.is_dir():
            raise UserError(Fault("--run-dir", "a new or empty folder", f"the file {root}", "Give another --run-dir."))
        if root.exists() and any(path.name != LOCK for path in root.iterdir()):
            remedy = f"Use `evokd resume {root}`, or another --run-dir."
            raise UserError(Fault("--run-dir", "a new or empty folder", f"{root} with files in it", remedy))
        root.mkdir(parents=True, exist_ok=True)
        return cls(root)

    @classmethod
    def open(cls, root: Path) -> RunDir:
        """The folder of a run that was started before."""
        if not (root / "config.yaml").is_file():
            remedy = "Give the folder that `evokd run` printed."
            if root.is_dir() and not any(path.name == "config.yaml" or path.is_dir() for path in root.iterdir()):
                remedy = "Nothing was begun there: give the `evokd run` command again."
            raise UserError(Fault("RUN", "a run folder with config.yaml", str(root), remedy))
        return cls(root)

    @property
    def config(self) -> Path:
        return self.root / "config.yaml"

    @property
    def graph(self) -> Path:
        return self.root / "graph.mmd"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints.sqlite"

    @property
    def earlier(self) -> Path:
        """Which run's examples are learned again, and what its student measured."""
        return self.root / "earlier.json"

    @property
    def metrics(self) -> Path:
        """A row an iteration."""
        return self.root / "metrics.jsonl"

    @property
    def history(self) -> Path:
        """Every example ever trained on, with its birth."""
        return self.root / "history.jsonl"

    @property
    def seed(self) -> Path:
        """The seed examples of this run."""
        return self.root / "seed.jsonl"

    @property
    def subjects(self) -> Path:
        """What texts of each label are about, as the teacher named it; not there where the task's author did."""
        return self.root / "subjects.json"

    @property
    def capabilities(self) -> Path:
        """What the probe found each endpoint can do."""
        return self.root / "capabilities.json"

    @property
    def identity(self) -> Path:
        """The run's id in the ledger, when it was made, and the versions it was made with."""
        return self.root / "run.json"

    @property
    def timings(self) -> Path:
        """A row a finished node: iteration, node, lane, start, seconds. The only file that differs on a re-run."""
        return self.root / "timings.jsonl"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"

    @property
    def model(self) -> Path:
        """The student, loadable by plain transformers + peft."""
        return self.root / "model"

    def iteration(self, number: int) -> IterationDir:
        return IterationDir(self.root / f"iteration_{number:03d}", number)

    def taught(self) -> list[TaughtDir]:
        """What `evokd teach` added, in order; not what was cut before it ended."""
        found = sorted(self.root.glob("taught_[0-9][0-9][0-9]"))
        return [one for one in (TaughtDir(path, int(path.name[-3:])) for path in found) if one.record.exists()]

    def next_taught(self) -> TaughtDir:
        """The one after them."""
        number = max((one.number for one in self.taught()), default=0) + 1
        return TaughtDir(self.root / f"taught_{number:03d}", number)

    @property
    def sweeps(self) -> Path:
        """What `evokd sweep` wrote."""
        return self.root / "sweep"

    def swept(self, student: str, seed: int) -> Path:
        """The record of one training of a sweep; `student`: its whole configuration, as JSON."""
        return self.sweeps / f"{hashlib.sha256(student.encode()).hexdigest()[:16]}-s{seed}.json"

    def adapters(self) -> list[Path]:
        """Every student of this run, oldest first: of each iteration, then of each `teach`."""
        made = [path for one in self.iterations() for path in one.adapters()]
        return [path for path in [*made, *(one.adapter for one in self.taught())] if path.exists()]

    def iterations(self) -> list[IterationDir]:
        """The iterations that exist, in order."""
        found = sorted(self.root.glob("iteration_[0-9][0-9][0-9]"))
        return [IterationDir(path, int(path.name[-3:])) for path in found]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Holds the run for this process; the lock ends with the process, however that ends.

        Raises:
            UserError: another process holds it.
        """
        lock = FileLock(self.root / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            remedy = "Wait until it has ended, or stop it."
            fault = Fault(str(self.root), "a run that no other process works on", "one that another does", remedy)
            raise UserError(fault) from None
        try:
            yield
        finally:
            if [path.name for path in self.root.iterdir()] == [LOCK]:  # nothing began, so the folder stays free
                (self.root / LOCK).unlink()
            lock.release()

    def sweep(self) -> None:
        """Removes what a killed process was still writing."""
        for left in self.root.rglob(".*.tmp"):
            left.unlink(missing_ok=True)
        if self.timings.exists():
            write_jsonl(self.timings, read_jsonl(self.timings))  # without a last line that was cut

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


@dataclass(frozen=True)
class IterationDir:
    """`iteration_003/`: what one turn of the loop wrote."""

    root: Path
    number: int

    @property
    def sampled(self) -> Path:
        """Pool texts chosen in this iteration, for the next batch."""
        return self.root / "sampled.jsonl"

    @property
    def begun(self) -> Path:
        """Questions of this iteration's batch with the beginning of the student's answer, for the teacher to go on."""
        return self.root / "begun.jsonl"

    @property
    def analysis(self) -> Path:
        """The teacher's analysis of this iteration's batch, with the conversation that led to it."""
        return self.root / "analysis.json"

    @property
    def generated(self) -> Path:
        """Texts the teacher wrote in this iteration, for the next batch."""
        return self.root / "generated.jsonl"

    @property
    def dropped(self) -> Path:
        """What was made and not kept, each row with the node and the reason."""
        return self.root / "dropped.jsonl"

    @property
    def mentions(self) -> Path:
        """Entities the teacher named in texts for the next batch: made, kept, dropped, and those without a place."""
        return self.root / "mentions.json"

    @property
    def candidates(self) -> Path:
        """Labelled candidates made for this iteration's batch (written by the iteration before)."""
        return self.root / "candidates.jsonl"

    @property
    def batch(self) -> Path:
        """The examples of this iteration."""
        return self.root / "batch.jsonl"

    @property
    def predictions(self) -> Path:
        """The student's answers to the batch before it trained on it."""
        return self.root / "predictions.jsonl"

    @property
    def scored(self) -> Path:
        """Every candidate's DAS and whether it was kept."""
        return self.root / "scored.jsonl"

    @property
    def spelled(self) -> Path:
        """The teacher's written answer to every candidate, and its tokens (written by the iteration before)."""
        return self.root / "spelled.jsonl"

    @property
    def sentences(self) -> Path:
        """Every sentence of every written answer, with what both models think of it, and which answers are kept."""
        return self.root / "sentences.jsonl"

    @property
    def das_page(self) -> Path:
        """The same to look at."""
        return self.root / "das.html"

    @property
    def replayed(self) -> Path:
        """Ids of the history examples trained on again."""
        return self.root / "replayed.jsonl"

    @property
    def training(self) -> Path:
        """The rows trained on, by example id, and the loss curve."""
        return self.root / "training.json"

    @property
    def self_labelled(self) -> Path:
        """Pool texts the student labelled for itself and learned, with its confidence."""
        return self.root / "self_labelled.jsonl"

    @property
    def self_training(self) -> Path:
        """Of entities, how many it was taught by itself and then said, and whether that student was taken."""
        return self.root / "self_training.json"

    @property
    def targets(self) -> Path:
        """What examples with a teacher's distribution are learned as (reconcile)."""
        return self.root / "targets.jsonl"

    @property
    def weights(self) -> Path:
        """Learned weights of generated examples (sungen)."""
        return self.root / "weights.jsonl"

    @property
    def averaged_adapter(self) -> Path:
        """`adapter` averaged with that of iteration 0, where all texts are written; it then stands for it."""
        return self.root / "adapter_averaged"

    @property
    def self_adapter(self) -> Path:
        """The student after self-training, where there is one; it then stands for `adapter`."""
        return self.root / "adapter_self"

    def matched_adapter(self, adapter: Path) -> Path:
        """`adapter`, of this iteration, with the bias of its head moved (match); it then stands for it."""
        return self.root / f"{adapter.name}_matched"

    def adapters(self) -> list[Path]:
        """Where its students are, oldest first; not all of them exist."""
        trained = [self.adapter, self.averaged_adapter, self.self_adapter]
        return [path for one in trained for path in (one, self.matched_adapter(one))]

    @property
    def matched(self) -> Path:
        """How common each label was among the teacher's answers and the student's, and what was added to its logit."""
        return self.root / "matched.json"

    @property
    def measured(self) -> Path:
        """Test and dev metrics of the student after this iteration's training."""
        return self.root / "measured.json"

    @property
    def answers(self) -> Path:
        """What the student answered to each test text, and what is right, as indices of labels."""
        return self.root / "answers.json"

    @property
    def written(self) -> Path:
        """What a student that writes its answers wrote to each test text."""
        return self.root / "written.jsonl"

    @property
    def base_answers(self) -> Path:
        """As `answers`, of the untrained base of a student that writes; iteration 0."""
        return self.root / "answers_base.json"

    @property
    def base_written(self) -> Path:
        return self.root / "written_base.jsonl"

    @property
    def weakness(self) -> Path:
        return self.root / "weakness.md"

    @property
    def adapter(self) -> Path:
        return self.root / "adapter"


@dataclass(frozen=True)
class TaughtDir:
    """`taught_001/`: one example added to a run that had ended."""

    root: Path
    number: int

    @property
    def record(self) -> Path:
        """The example, and what the student said before and after."""
        return self.root / "taught.json"

    @property
    def adapter(self) -> Path:
        return self.root / "adapter"

    @property
    def model(self) -> Path:
        """The student, as `model/` of the run."""
        return self.root / "model"


@dataclass(frozen=True)
class ScoreDir:
    """The folder of one `evokd score`, which needs no run."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> ScoreDir:
        """A new folder; an existing one is refused, never overwritten."""
        if root.exists() and (not root.is_dir() or any(root.iterdir())):
            raise UserError(Fault("--out", "a new or empty folder", f"{root} as it is", "Give another --out."))
        root.mkdir(parents=True, exist_ok=True)
        return cls(root)

    @property
    def scored(self) -> Path:
        """A row an example that both models read: its sentences with both probabilities, and whether it is kept."""
        return self.root / "scored.jsonl"

    @property
    def kept(self) -> Path:
        """The rows that are kept, as they were."""
        return self.root / "kept.jsonl"

    @property
    def dropped(self) -> Path:
        """The rows that are not, with the reason."""
        return self.root / "dropped.jsonl"

    @property
    def summary(self) -> Path:
        return self.root / "score.json"

    @property
    def report(self) -> Path:
        return self.root / "report.html"


def write_text(path: Path, text: str) -> None:
    """Writes `text` so that a reader, or a crash, sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_text(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of `path`; [] where it does not exist. A last line cut by a crash is left out."""
    return list(_rows(path)) if path.exists() else []


def append_jsonl(path: Path, row: Mapping[str, Any]) -> None:
    """Adds one line in one write, so that rows of two threads do not mix."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def replace_rows(path: Path, iteration: int, rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows of `iteration` and later are replaced by `rows`; earlier ones stay."""
    kept = [row for row in read_jsonl(path) if row["iteration"] < iteration]
    write_jsonl(path, [*kept, *rows])


def put_drops(path: Path, node: str, drops: Iterable[Mapping[str, Any]]) -> None:
    """What `node` made and did not keep; replaces what it wrote there before."""
    kept = [row for row in read_jsonl(path) if row["node"] != node]
    write_jsonl(path, [*kept, *({"node": node, **drop} for drop in drops)])


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines):
        if not line:
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            if number == len(lines) - 1:
                return
            got = f"{line[:60]!r}"
            raise UserError(Fault(f"{path}:{number + 1}", "a JSON object", got, "Restore the file.")) from None

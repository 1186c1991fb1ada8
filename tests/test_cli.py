"""The commands in process: exit codes, one line a mistake, and the shapes that scripts read."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import __version__
from agent.cli import main
from tasks.task import bundled_tasks
from tests.fakes.fake_teacher import FakeTeacher
from tests.fakes.tiny_causal import as_gguf, tiny_causal

Call = Callable[..., tuple[int, str, list[str]]]
Mistake = Callable[..., list[str]]
SEED = [{"text": "lovely :pizza:", "label": "good"}, {"text": "awful", "label": "bad"}]
TEST = [{"text": "fine", "label": "good"}]
YAML = "name: mine\nquestion: Happy?\nlabels: [good, bad]\ndata: {seed: seed.jsonl, test: test.jsonl}\n"


@pytest.fixture
def evokd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Calls the program in an empty folder of its own: exit code, standard output, lines of standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVOKD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def call(*words: str) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["evokd", *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err.splitlines()

    return call


@pytest.fixture
def mistake(evokd: Call) -> Mistake:
    """Calls the program, which must exit with 2 and print nothing but the lines that are returned."""

    def call(*words: str) -> list[str]:
        code, out, err = evokd(*words)
        assert (code, out) == (2, "")
        return err

    return call


def task(yaml: str = YAML, seed: list[dict[str, Any]] = SEED, test: list[dict[str, Any]] = TEST) -> str:
    """Writes a task into the working folder and returns the name of its file."""
    for name, rows in {"seed": seed, "test": test}.items():
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    Path("task.yaml").write_text(yaml)
    return "task.yaml"


def run_words(*sets: str) -> list[str]:
    """`run` of the task with a student that is not there: nothing can be fetched, whatever the order."""
    every = ("student.model=no-such-student", "teacher.attempts=1", *sets)
    return ["run", task(), "--run-dir", "r", *(f"--set={item}" for item in every)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["plan", "avis"], "TASK: expected one of avis_clients, everyday_choices, everyday_requests, inference_fr, "),
        (["plan", "avis_clients", "--strategy", "evo"], "--strategy: expected one of auggpt, eda"),
        (["plan", "avis_clients", "--without", "score,train"], "options: without.1: expected 'names'"),
        (["plan", "avis_clients", "--set", "student.epoch=1"], "student.epoch: expected a known field, got 'epoch'."),
        (["plan", "avis_clients", "--set", "shots=999"], "avis_clients: seed: expected at least 999 examples a label"),
        (["predict", "nowhere", "--file", "."], "--file: expected a file, got ."),
        (["predict", "nowhere", "a text", "--file", "x"], "TEXTS and --file: expected texts of one of them"),
        (["score", "nowhere.jsonl"], "FILE: expected a file, got nowhere.jsonl (not there). Check the path."),
        (["score", "nowhere.jsonl", "--keep", "2"], "--keep: expected a fraction above 0, at most 1, got 2."),
        (["report", "nowhere"], "RUN: expected a run folder with config.yaml, got nowhere."),
    ],
)  # fmt: skip
def test_a_mistake_in_the_words_of_the_command_is_one_line(mistake: Mistake, words: list[str], said: str) -> None:
    err = mistake(*words)
    assert said in err[0] and all(line.startswith("evokd: ") for line in err)
    assert len(err) == (2 if "shots=999" in words else 1)  # one for each label


def test_several_faults_of_a_task_file_come_in_one_go(mistake: Mistake) -> None:
    err = mistake("plan", task("name: mine\nlabels: [good]\nlang: fr\ndata: {seed: seed.jsonl, pol: x}\n"))
    places = {line.removeprefix("evokd: ").split(": expected")[0] for line in err}
    assert places == {f"task.yaml: {field}" for field in ("question", "labels", "lang", "data.test", "data.pol")}


def test_an_unknown_kind_does_not_hide_the_other_faults_of_a_task_file(mistake: Mistake) -> None:
    Path("task.yaml").write_text("name: mine\nkind: classificaton\nlang: fr\nlabels: [good]\n")
    lines = mistake("plan", "task.yaml")
    assert "Did you mean 'classification'?" in lines[0]
    assert [part for part in ("question", "labels", "lang", "data") if not any(part in line for line in lines)] == []


def test_a_folder_in_which_nothing_was_begun_cannot_be_resumed(mistake: Mistake) -> None:
    Path("empty").mkdir()
    (line,) = mistake("resume", "empty")
    assert "Nothing was begun there" in line


def test_several_faults_of_the_data_come_in_one_go_with_their_lines(mistake: Mistake) -> None:
    good = [{"text": str(n), "label": "good"} for n in range(99)]
    bad = [{"text": "", "label": "good"}, {"text": "y", "label": "odd"}]
    assert mistake("plan", task(seed=good + bad)) == [
        "evokd: seed.jsonl:100: expected a text, got ''. Fill it in or remove the row.",
        "evokd: seed.jsonl:101: expected a label of the task (good, bad), got 'odd'. Mend the row, or add the label "
        "to the task.",
    ]


def test_a_text_in_seed_and_test_and_a_pool_that_is_not_there_are_one_line_each(mistake: Mistake) -> None:
    (said,) = mistake("plan", task(test=[*TEST, {"text": " AWFUL ", "label": "bad"}]))
    assert "task.yaml: data.seed and data.test: expected no text in two parts, got 'awful' in both." in said
    (said,) = mistake("plan", task(), "--strategy", "pool_random")
    assert "mine: data.pool: expected texts to train on, for strategy pool_random, got none." in said


def test_data_that_is_not_utf8_is_one_line(mistake: Mistake) -> None:
    task()
    Path("seed.jsonl").write_bytes('{"text": "déçu", "label": "bad"}'.encode("latin-1"))
    (said,) = mistake("plan", "task.yaml")
    assert "seed.jsonl: expected UTF-8 text, got byte 0xe9" in said


def test_an_existing_run_folder_is_never_overwritten(mistake: Mistake) -> None:
    Path("r").mkdir()
    Path("r/config.yaml").write_text("mine")
    said = mistake(*run_words())[0]
    assert "--run-dir: expected a new or empty folder, got r with files in it. Use `evokd resume r`" in said
    assert [path.name for path in Path("r").iterdir()] == ["config.yaml"]


def test_no_endpoint_is_told_before_any_weights_are_looked_for(mistake: Mistake) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    (said,) = mistake(*run_words(f"teacher.base_url={url}", "teacher.model=m"))
    assert url in said and "no connection" in said


def test_a_wrong_key_is_told_first_and_the_folder_stays_free(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "wrong")
    with FakeTeacher(key="right") as fake:
        where = [f"teacher.base_url={fake.base_url}", f"teacher.model={fake.model}", "teacher.api_key_env=MY_KEY"]
        (said,) = mistake(*run_words(*where))
        assert "MY_KEY" in said and "401" in said
        monkeypatch.setenv("MY_KEY", "right")
        (said,) = mistake(*run_words(*where))
        assert "'no-such-student'" in said
        assert not fake.asked and not list(Path("r").iterdir())


def test_a_wrong_model_is_answered_with_the_near_one(mistake: Mistake) -> None:
    with FakeTeacher(model="qwen-1.5b") as fake:
        (said,) = mistake(*run_words(f"teacher.base_url={fake.base_url}", "teacher.model=qwen-1.5"))
    assert "Did you mean 'qwen-1.5b'?" in said


def test_the_tasks_as_json(evokd: Call) -> None:
    code, out, _ = evokd("tasks", "--json")
    rows = json.loads(out)
    assert code == 0 and [row["name"] for row in rows] == bundled_tasks()
    assert all(set(row) == {"name", "kind", "language", "labels", "seed", "dev", "pool", "test"} for row in rows)


def test_the_plan_as_json(evokd: Call) -> None:
    code, out, err = evokd("plan", "avis_clients", "--set", "batch.hard=4", "--json")
    figures = json.loads(out)
    assert (code, err) == (0, [])
    assert set(figures) == {"lines", "calls", "tokens", "cost", "prompts", "nodes"}
    assert set(figures["prompts"]) == set(figures["nodes"]) == {"analyze", "generate", "label"}
    assert figures["prompts"]["label"][0][0] == "system"
    assert set(figures["nodes"]["label"]) == {"calls", "prompt_tokens", "tokens"}
    assert "- lovely :pizza:" in evokd("plan", task())[1]


def test_the_graph_is_mermaid_without_what_was_left_out(evokd: Call) -> None:
    code, out, _ = evokd("graph", "avis_clients", "--without", "score")
    assert code == 0
    assert "graph TD" in out and "subgraph teacher_lane" in out and "evaluate" in out and "score" not in out


def test_a_new_task_can_be_planned_as_it_is_and_is_not_overwritten(evokd: Call) -> None:
    assert evokd("tasks", "new", "mine")[0] == 0
    code, out, _ = evokd("plan", "mine")
    assert (
        code == 0 and out.startswith("task mine: 2 labels, 1 shot a label (2 seed examples)") and "── label ──" in out
    )
    code, _, err = evokd("tasks", "new", "mine")
    assert code == 2 and err[0].startswith("evokd: NAME: expected a new folder")


@pytest.mark.parametrize(
    ("rows", "words", "said"),
    [
        (b'{"txt": "a"}', [], "d.jsonl:1: expected the fields instruction+output or prompt"),
        (b'{"text": ""}', [], "d.jsonl:1: text: expected a text, got ''. Fill it in or remove the row."),
        (b'{"text": "a"', [], "d.jsonl:1: expected one JSON object a line"),
        ('{"text": "déçu"}'.encode("latin-1"), [], "d.jsonl: expected UTF-8 text, got byte 0xe9"),
        (b"", [], "FILE: expected at least one row"),
        (b'{"text": "a"}', [], "d.jsonl: expected rows with teacher_logprobs, got none."),
        (b'{"text": "a"}', ["--teacher-model", "smollm"], "model: expected one of all-MiniLM-L6-v2"),
        (b'{"text": "a"}', ["--out", "."], "--out: expected a new or empty folder"),
    ],
)  # fmt: skip
def test_what_score_cannot_use_is_one_line(mistake: Mistake, rows: bytes, words: list[str], said: str) -> None:
    Path("d.jsonl").write_bytes(rows)
    if "--out" in words:
        words = [*words, "--teacher-model", "x"]
    (line,) = mistake("score", "d.jsonl", *words)
    assert said in line


def test_score_refuses_a_gguf_of_an_unknown_architecture(evokd: Call) -> None:
    Path("d.jsonl").write_text('{"text": "a"}\n')
    as_gguf(tiny_causal(Path("tiny")), Path("odd.gguf"), architecture="oddball")
    code, out, err = evokd("score", "d.jsonl", "--teacher-model", "odd.gguf", "--student", "odd.gguf")
    assert (code, out) == (2, "")
    assert err[0] == "teacher odd.gguf: reading the model" and "oddball" in err[-1] and len(err) == 2


def test_score_says_what_it_kept_and_as_json_what_it_wrote(evokd: Call) -> None:
    rows = [{"text": "it is good. is it bad?"}, {"text": "you are here."}]
    Path("d.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    models = ["--student", str(tiny_causal(Path("one"))), "--teacher-model", str(tiny_causal(Path("two"), seed=1))]
    code, out, _ = evokd("score", "d.jsonl", *models, "--rule", "longest", "--keep", "0.5")
    assert code == 0
    assert "kept 1 of 2 examples by longest\ndropped: 1 not_among_the_best\n" in out
    assert "report: runs/d-score-001/report.html" in out
    assert Path("runs/d-score-001/kept.jsonl").read_text() == json.dumps(rows[0]) + "\n"
    assert "every prompt has one candidate" not in out
    assert "every prompt has one candidate" in evokd("score", "d.jsonl", *models, "--out", "all")[1]
    code, out, _ = evokd("score", "d.jsonl", *models, "--rule", "longest", "--json")
    found = json.loads(out)
    assert (found["path"], found["made"], found["kept"], found["dropped"]) == ("runs/d-score-002", 2, 2, {})
    assert {path.name for path in Path(found["path"]).iterdir()} == {
        "scored.jsonl", "kept.jsonl", "dropped.jsonl", "score.json", "report.html",
    }  # fmt: skip


def test_version_help_and_what_is_no_word_of_any_command(evokd: Call, mistake: Mistake) -> None:
    assert evokd("--version") == (0, f"evokd {__version__}\n", [])
    code, out, _ = evokd("--help")
    assert code == 0 and "resume" in out
    for words, named in ((["plan", "x", "--nonsense"], "--nonsense"), (["plan"], "TASK"), (["plam"], "plam")):
        assert named in mistake(*words)[-1]


def test_ctrl_c_ends_with_130(evokd: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(config: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent.estimate.estimate", interrupted)
    assert evokd("plan", "avis_clients")[0] == 130


def test_models_lists_what_is_fetched_by_name(evokd: Call, tmp_path: Path) -> None:
    (tmp_path / "cache" / "all-MiniLM-L6-v2").mkdir(parents=True)
    code, out, _ = evokd("models", "--json")
    found = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert found["all-MiniLM-L6-v2"]["role"] == "student"
    assert found["all-MiniLM-L6-v2"]["path"] == str(tmp_path / "cache" / "all-MiniLM-L6-v2")
    assert found["qwen2.5-coder-1.5b-instruct"]["role"] == "student or local teacher"
    assert found["qwen2.5-coder-1.5b-instruct"]["path"] is None
    assert found["all-MiniLM-L6-v2"]["qlora_bytes"] is None
    assert found["gemma-2-2b-it"]["gated"] and not found["gpt2"]["gated"]
    assert all(row["qlora_bytes"] < row["lora_bytes"] for row in found.values() if row["qlora_bytes"])
    shown = evokd("models", "list")[1]
    assert shown == evokd("models")[1] and "440 MB to fetch" in shown and "meta-llama/Llama-3.2-1B-Instruct" in shown

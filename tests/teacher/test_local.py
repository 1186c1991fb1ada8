"""The local teacher: faults in one line; with real weights (slow), what the server can do."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.teacher.labels import label_distribution, parse_label
from agent.teacher.local import SLOTS, LocalServer, model_name
from agent.weights import cache_folder
from tasks.faults import UserError
from tests.teacher.conftest import Open, ask_label, ask_texts

MODEL = "qwen2.5-coder-1.5b-instruct"
needs_weights = pytest.mark.skipif(not (cache_folder() / f"{MODEL}.gguf").exists(), reason=f"{MODEL} was not fetched")
needs_server = pytest.mark.skipif(importlib.util.find_spec("xllamacpp") is None, reason="no xllamacpp")


def test_without_the_package_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'evokd\[local\]'"):
        LocalServer(MODEL)


@needs_server
def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected a .gguf file, got no file .*missing\.gguf"):
        LocalServer(str(tmp_path / "missing.gguf"))


@needs_server
def test_a_folder_and_a_file_of_another_kind(tmp_path: Path) -> None:
    file = tmp_path / "odd.gguf"
    file.write_bytes(b"not a model")
    for path in (tmp_path, file):
        with pytest.raises(UserError, match="a GGUF model for the local server"):
            LocalServer(str(path))


@needs_server
def test_a_broken_model(tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(UserError) as caught:
        LocalServer(str(file))
    assert "that llama.cpp can serve" in str(caught.value) and "\n" not in str(caught.value)


def test_model_names() -> None:
    assert model_name("/models/Small-Q4.gguf") == "Small-Q4"
    assert model_name(MODEL) == MODEL


@pytest.mark.slow
@needs_server
@needs_weights
def test_a_real_model_labels_and_writes(open_on: Open) -> None:
    teacher = open_on(None, base_url="local", model=MODEL)
    can = teacher.can("labeller")
    assert (can.tier, can.top_logprobs, can.seed, can.slots) == ("json_schema", 20, True, SLOTS)
    question = "Is this review positive or negative? Answer with one word.\nReview: I loved every minute."
    label, texts = teacher.ask(
        [ask_label(question, top_logprobs=20), ask_texts("Write two short texts about the sea.")], "label", 1
    )
    assert label is not None and label.logprobs is not None and texts is not None
    labels = ("positive", "negative")
    assert parse_label(label.text, labels) == "positive"
    distribution, coverage = label_distribution(label.logprobs, labels)
    assert coverage > 0.9 and distribution["positive"] > 0.9
    assert texts.parsed is None or isinstance(texts.parsed["texts"], list)
    assert teacher.usage().cost == 0.0


@pytest.mark.slow
@needs_server
@needs_weights
def test_the_server_dies_with_its_parent_also_after_kill_9() -> None:
    script = f"""
import time
from agent.teacher.local import LocalServer
print(LocalServer({MODEL!r})._process.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{server}").exists() and _running(server):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"

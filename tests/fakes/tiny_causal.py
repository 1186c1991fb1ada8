"""Tiny random decoders in a folder, in Hugging Face format, with a byte-level tokenizer; and Llama as a GGUF file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from tests.fakes.tiny_model import WORDS

END = "<|endoftext|>"
LLAMA_LIKE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
              "intermediate_size": 48, "max_position_embeddings": 64, "tie_word_embeddings": True}  # fmt: skip
SIZES: dict[str, dict[str, Any]] = {
    "llama": LLAMA_LIKE,
    "qwen2": LLAMA_LIKE,
    "gemma": LLAMA_LIKE | {"head_dim": 8},
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64,
             "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0},
}  # fmt: skip


def tiny_tokenizer(special: Sequence[str] = (), **options: Any) -> PreTrainedTokenizerFast:
    """Byte-level BPE that knows WORDS with a space before, END and `special`; options as eos_token, pad_token."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: index for index, symbol in enumerate(alphabet)}
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        left = "Ġ"
        for letter in word:
            if left + letter not in vocabulary:
                vocabulary[left + letter] = len(vocabulary)
                merges.append((left, letter))
            left += letter
    tokenizer = Tokenizer(BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in (END, *special)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **{"eos_token": END, "model_max_length": 64, **options})


def tiny_causal(folder: Path, kind: str = "llama", seed: int = 0, reads: int = 64, **options: Any) -> Path:
    """Writes a 2-layer decoder of hidden size 32 for `reads` tokens; it has an end token, no padding token."""
    tokenizer = tiny_tokenizer(**{"model_max_length": reads, **options})
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": None}
    sizes = SIZES[kind] | {"n_positions" if kind == "gpt2" else "max_position_embeddings": reads}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), initializer_range=0.2, **ends, **sizes)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def as_gguf(folder: Path, file: Path, architecture: str = "llama") -> Path:
    """A tiny Llama of `tiny_causal` as a GGUF of float32 tensors."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    config, bpe = model.config, tokenizer.backend_tokenizer
    writer = gguf.GGUFWriter(file, architecture)
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    table = json.loads(bpe.to_str())["model"]
    words = [bpe.id_to_token(number) for number in range(bpe.get_vocab_size())]
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([3 if word == END else 1 for word in words])
    writer.add_token_merges([" ".join(pair) for pair in table["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    names = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
             "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
             "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
             "post_attention_layernorm": "ffn_norm"}  # fmt: skip
    for name, weight in model.state_dict().items():
        short = name.removeprefix("model.").removesuffix(".weight")
        if short.startswith("layers."):
            _, number, inner = short.split(".", 2)
            heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}.get(names[inner])
            short = f"blk.{number}.{names[inner]}"
            if heads:  # llama.cpp keeps the rotated halves of a head interleaved
                out, width = weight.shape
                weight = weight.reshape(heads, 2, out // heads // 2, width).swapaxes(1, 2).reshape(out, width)
        else:
            short = {"embed_tokens": "token_embd", "norm": "output_norm", "lm_head": ""}[short]
        if short:
            writer.add_tensor(f"{short}.weight", weight.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file

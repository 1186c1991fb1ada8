"""Log-probabilities of texts equal a slow, obvious reference, whatever the tokenizer; what cannot be read is told."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram
from tokenizers.trainers import BpeTrainer, UnigramTrainer
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from agent.das.passage import Passage
from agent.das.sentences import Span
from agent.das.text import probabilities
from agent.student import logprobs
from agent.student.causal import Causal
from agent.student.logprobs import beginning, context_ids, read_by, text_logprobs
from tasks.faults import UserError
from tests.fakes.tiny_causal import as_gguf, tiny_causal

LINES = [
    "Hello  world. It is a good day.", "Fine! 你好，世界。 It is  bad 🙂.", "The cat\n\nsat on the mat. What is it?",
    "Question: is it good? Answer: it is.",
]  # fmt: skip
TEXTS: dict[str, list[str]] = {
    "plain": ["It is a good day. ", "The cat sat."],
    "emoji": ["It is 🙂🎉 good. ", "👩‍👧!"],
    "Chinese": ["你好，世界。", "今天好。", "鬱!"],
    "double spaces": ["It  is  bad.  ", "Hello   world.  ", "Fine."],
    "newlines": ["\n\nIt is.\n\n", "The\ncat sat. \n"],
}
"""Sentences by hand."""
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
KINDS = ("bytes", "pieces")


def byte_level() -> PreTrainedTokenizerFast:
    """As Qwen's and SmolLM2's: byte-level BPE, no token for the beginning."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet, special = sorted(pre_tokenizers.ByteLevel.alphabet()), ["<|end|>"]
    tokenizer.train_from_iterator(
        LINES, BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>")


def pieces() -> PreTrainedTokenizerFast:
    """As Llama's: Unigram with ▁ for a space and bytes for what it does not know; <s> before a text, </s> after it."""
    trained = Tokenizer(Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>"]
    trained.train_from_iterator(
        LINES, UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False)
    )
    known = [(piece, score) for piece, score in json.loads(trained.to_str())["model"]["vocab"]]
    alone = [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    tokenizer = Tokenizer(Unigram([*known[:3], *alone, *known[3:]], unk_id=0, byte_fallback=True))
    tokenizer.pre_tokenizer = trained.pre_tokenizer
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    ends = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends)


@pytest.fixture(scope="module", params=KINDS)
def causal(request: pytest.FixtureRequest) -> Iterator[Causal]:
    tokenizer = byte_level() if request.param == "bytes" else pieces()
    kind = "gpt2" if request.param == "bytes" else "llama"
    sizes: dict[str, Any] = {
        "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 128},
        "llama": {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48,
                  "max_position_embeddings": 128},
    }  # fmt: skip
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), initializer_range=0.3, **sizes[kind])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)
    yield Causal(model.eval(), tokenizer)


def quiet(message: str) -> None:
    """Nobody listens."""


def read(causal: Causal, *passages: Passage) -> list[logprobs.Tokens | None]:
    return text_logprobs(causal, passages, "cpu", quiet)


def all_passages() -> list[Passage]:
    return [
        Passage({}, "".join(sentences), before)
        for sentences in TEXTS.values()
        for before in ("", "Question: is it good?  ", "你好 🙂\n")
    ]


def slow(causal: Causal, passage: Passage) -> list[tuple[str, float]]:
    """(what it spells, log p) of each token of the text: one text, one token, one full softmax at a time."""
    tokenizer = causal.tokenizer
    has_bos = tokenizer.bos_token_id is not None
    ids = [tokenizer.bos_token_id] if has_bos else []
    if passage.before:
        ids += tokenizer.encode(passage.before, add_special_tokens=False)
    found = []
    for token in tokenizer.encode(passage.text, add_special_tokens=False):
        if ids:
            with torch.no_grad():
                logits = causal.model(input_ids=torch.tensor([ids])).logits[0, -1].double()
            found.append((tokenizer.convert_ids_to_tokens(token), math.log(torch.softmax(logits, 0)[token].item())))
        else:
            found.append((tokenizer.convert_ids_to_tokens(token), math.nan))
        ids.append(token)
    return found


def slow_sentences(causal: Causal, passage: Passage, sentences: list[str]) -> list[float]:
    """p of each sentence: the tokens' spellings laid after one another as bytes, each owned by the sentence of the
    first of its bytes that is no space."""
    letters = pre_tokenizers.ByteLevel.alphabet()
    table = {letter: byte for byte, letter in zip(_bytes_of_letters(), sorted(letters), strict=True)}
    edges = [len("".join(sentences[: n + 1]).encode()) for n in range(len(sentences))]
    owned: list[list[float]] = [[] for _ in sentences]
    at = 0
    for number, (spelling, logprob) in enumerate(slow(causal, passage)):
        if causal.tokenizer.bos_token is None:
            piece = bytes(table[letter] for letter in spelling)
        elif spelling.startswith("<0x"):
            piece = bytes([int(spelling[3:-1], 16)])
        else:
            piece = spelling.replace("▁", " ").encode()
            piece = piece[1:] if number == 0 and not passage.text.startswith(" ") else piece  # the ▁ put before it
        first = at + (len(piece) - len(piece.lstrip()) if piece.strip() else 0)
        if not math.isnan(logprob):
            owned[next(n for n, edge in enumerate(edges) if first < edge)].append(logprob)
        at += len(piece)
    assert at == edges[-1]
    return [math.exp(sum(values) / len(values)) for values in owned]


def _bytes_of_letters() -> list[int]:
    """The byte of each letter of the byte-level alphabet, the letters sorted (GPT-2's table)."""
    own = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in own]
    return own + rest


def spans_of(sentences: list[str]) -> list[Span]:
    starts = [len("".join(sentences[:n])) for n in range(len(sentences) + 1)]
    return list(pairwise(starts))


def test_every_token_equals_the_reference(causal: Causal) -> None:
    """All texts in batches, against one text at a time. Fault of public DAS code: a batch of one, always."""
    passages = all_passages()
    for passage, found in zip(passages, read(causal, *passages), strict=True):
        expected = [logprob for _, logprob in slow(causal, passage) if not math.isnan(logprob)]
        assert found is not None
        assert [token.logprob for token in found] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("before", ["", "Question: is it good?  "])
def test_every_sentence_equals_the_reference(causal: Causal, name: str, before: str) -> None:
    passage = Passage({}, "".join(TEXTS[name]), before)
    (found,) = read(causal, passage)
    assert found is not None
    given = probabilities(passage.text, spans_of(TEXTS[name]), found)
    assert given.tolist() == pytest.approx(slow_sentences(causal, passage, TEXTS[name]), abs=1e-4)


def test_the_tokens_cover_the_text_and_nothing_of_the_prompt(causal: Causal) -> None:
    """Fault of public DAS code: with a token for the beginning the prompt's length was off by one."""
    passage = Passage({}, "It is good 🙂.", "Question: is it good? ")
    (found,) = read(causal, passage)
    assert found is not None
    assert (found[0].start, found[-1].end) == (0, len(passage.text))
    assert len(found) == len(causal.tokenizer(passage.text, add_special_tokens=False)["input_ids"])
    (longer,) = read(causal, Passage({}, passage.text, passage.before * 3))
    assert longer is not None and [one.start for one in longer] == [one.start for one in found]


def test_the_first_token_is_scored_where_something_stands_before_it(causal: Causal) -> None:
    (alone,), (after,) = read(causal, Passage({}, "It is.")), read(causal, Passage({}, "It is.", "What is it? "))
    assert alone is not None and after is not None
    assert len(after) - len(alone) == (causal.tokenizer.bos_token_id is None)


def test_what_stands_before_matters(causal: Causal) -> None:
    one, other = read(causal, Passage({}, "It is.", "Hello "), Passage({}, "It is.", "你好"))
    assert one is not None and other is not None
    assert [t.logprob for t in one] != pytest.approx([t.logprob for t in other], abs=1e-3)


@pytest.mark.parametrize("side", ["left", "right"])
def test_neither_the_side_of_the_padding_nor_the_company_matters(
    causal: Causal, side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    passages = all_passages()
    together = read(causal, *passages)
    monkeypatch.setattr(causal.tokenizer, "padding_side", side)
    monkeypatch.setattr(logprobs, "LOGIT_BYTES", 1)  # one text a batch
    for one, other in zip(read(causal, *passages), together, strict=True):
        assert one is not None and other is not None
        assert [(t.start, t.end) for t in one] == [(t.start, t.end) for t in other]
        assert [t.logprob for t in one] == pytest.approx([t.logprob for t in other], abs=1e-4)


def test_many_texts_are_read_in_few_batches(causal: Causal) -> None:
    """Fault of public DAS code: a batch of one."""
    batches: list[int] = []
    hook = causal.model.register_forward_hook(lambda module, args, output: batches.append(len(output.logits)))
    read(causal, *[Passage({}, "It is a good day.")] * 64)
    hook.remove()
    assert sum(batches) == 64 and len(batches) <= 4


def test_a_text_that_is_longer_than_the_model_reads_is_told(causal: Causal) -> None:
    short, long = Passage({}, "It is."), Passage({}, "It is a good day. " * 40)
    found = read(causal, short, long, Passage({}, "It is.", long.text))
    assert [tokens is None for tokens in found] == [False, True, True]


def test_an_instruction_is_a_turn_of_the_chat_where_there_is_a_template(
    causal: Causal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, tokenizer = Passage({}, "It is.", "the Alpaca form ", turn="Is it good?"), causal.tokenizer
    begin = beginning(tokenizer)
    bare = [*begin, *tokenizer.encode("the Alpaca form ", add_special_tokens=False)]
    assert context_ids(tokenizer, asked, begin) == bare
    monkeypatch.setattr(tokenizer, "chat_template", CHAT)
    said = "<|im_start|>user\nIs it good?<|im_end|>\n<|im_start|>assistant\n"
    assert context_ids(tokenizer, asked, begin) == tokenizer.encode(said, add_special_tokens=False)
    monkeypatch.setattr(tokenizer, "chat_template", "{{ raise_exception('no user') }}")
    with pytest.raises(UserError, match="a chat template that takes a turn of the user, got 'no user'"):
        context_ids(tokenizer, asked, begin)
    raw = Passage({}, "It is.", "the Alpaca form ")
    assert context_ids(tokenizer, raw, begin) == bare


def test_the_beginning_is_what_stands_before_a_text_and_not_what_stands_after(causal: Causal) -> None:
    assert beginning(causal.tokenizer) == ([1] if causal.tokenizer.bos_token == "<s>" else [])


def test_no_texts(causal: Causal) -> None:
    assert read(causal) == []


def test_a_tokenizer_that_does_not_tell_characters_is_refused() -> None:
    slow_one = Causal(SimpleNamespace(), SimpleNamespace(is_fast=False))
    with pytest.raises(UserError, match="expected a tokenizer that tells its tokens' characters"):
        read(slow_one, Passage({}, "a"))


def test_a_folder_and_the_gguf_file_of_the_same_model_say_the_same_and_nothing_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tiny_causal(tmp_path / "folder")
    file = as_gguf(folder, tmp_path / "model.gguf")
    passages = [Passage({}, "it is a good day. 你好 🙂", "what is it? ")]
    capfd.readouterr()
    (one,), (other,) = read_by(folder, passages), read_by(file, passages)
    assert one is not None and other is not None
    assert [t.logprob for t in one] == pytest.approx([t.logprob for t in other], abs=1e-4)
    assert capfd.readouterr() == ("", "")

"""How likely a causal model finds given texts, token by token, on the characters of each text.

What stands before a text is context: it is read and not scored. Context and text are tokenised apart, so that a token
is of one or the other, as when the model goes on from a prompt, and no length of a prompt is ever counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError

from agent.das.passage import Passage
from agent.das.token_spans import TokenSpan
from agent.student.batches import by_length, padded
from agent.student.causal import Causal, load_causal
from agent.student.hardware import choose_hardware, give_back_memory
from tasks.faults import Fault, UserError, quoted

LOGIT_BYTES = 1 << 28
"""Of a batch's logits in float32, about: they outweigh all else where a vocabulary has 150,000 tokens."""
Tokens = tuple[TokenSpan, ...]
Say = Callable[[str], None]
PLAIN = {"add_special_tokens": False, "return_attention_mask": False, "return_token_type_ids": False, "verbose": False}
"""Options of a tokenizer: the ids alone, without special tokens."""


def read_by(weights: Path, passages: Sequence[Passage], say: Say = lambda message: None) -> list[Tokens | None]:
    """`text_logprobs` by the model of `weights`, in float32 on the best device here; its memory is given back.

    Raises:
        UserError: no causal model, or one whose tokenizer does not tell which characters its tokens spell.
    """
    try:
        device = choose_hardware(dtype="float32").device
        return text_logprobs(load_causal(weights, torch.float32), passages, device, say)
    finally:
        give_back_memory()


def text_logprobs(causal: Causal, passages: Sequence[Passage], device: str, say: Say) -> list[Tokens | None]:
    """The tokens of each passage's text with log p(token) after all that stands before it; None where context and text
    are longer than the model reads.

    A text without context begins after the model's token for the beginning; where its tokenizer adds none, nothing
    says how likely the first token is, and it is left out.
    """
    if not causal.tokenizer.is_fast:
        remedy = "Give a model that has a tokenizer.json."
        raise UserError(Fault("model", "a tokenizer that tells its tokens' characters", "a slow one", remedy))
    if not passages:
        return []
    begin, longest = beginning(causal.tokenizer), context_length(causal)
    contexts = [context_ids(causal.tokenizer, one, begin) for one in passages]
    texts = causal.tokenizer([one.text for one in passages], **PLAIN, return_offsets_mapping=True)
    rows = [[*context, *ids] for context, ids in zip(contexts, texts["input_ids"], strict=True)]
    found: list[Tokens | None] = [None if len(ids) > longest else () for ids in rows]
    fitting = [i for i, ids in enumerate(rows) if 1 < len(ids) <= longest]
    budget = max(1, LOGIT_BYTES // (4 * int(causal.model.config.get_text_config().vocab_size)))
    causal.model.to(device)
    done = 0
    for batch in by_length([rows[i] for i in fitting], budget):
        places = [fitting[i] for i in batch]
        for i, logprobs in zip(places, _logprobs(causal, [rows[i] for i in places], device), strict=True):
            unscored = 0 if contexts[i] else 1  # tokens of the text with nothing before them
            spans = texts["offset_mapping"][i][unscored:]
            own = logprobs[len(contexts[i]) + unscored - 1 :]
            found[i] = tuple(TokenSpan(start, end, value) for (start, end), value in zip(spans, own, strict=True))
        tenths, done = 10 * done // len(fitting), done + len(places)
        if 10 * done // len(fitting) > tenths:
            say(f"{done:,} of {len(fitting):,} texts")
    return found


def beginning(tokenizer: Any) -> list[int]:
    """The special tokens that the tokenizer puts before a text, such as BOS; often none. What it puts after one is no
    part of a text that goes on."""
    ids, bare = tokenizer("a")["input_ids"], tokenizer("a", **PLAIN)["input_ids"]
    return next(list(ids[:at]) for at in range(len(ids)) if ids[at : at + len(bare)] == bare)


def context_ids(tokenizer: Any, passage: Passage, begin: Sequence[int]) -> list[int]:
    """Token ids of what stands before the text: an instruction in the model's chat template where it has one."""
    if passage.turn is not None and tokenizer.chat_template:
        turns = [{"role": "user", "content": passage.turn}]
        try:
            return list(tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_dict=False))
        except TemplateError as error:
            remedy = "Give rows of prompt+completion, or another model."
            expected = "a chat template that takes a turn of the user"
            raise UserError(Fault("model", expected, quoted(str(error)), remedy)) from error
    return [*begin, *(tokenizer(passage.before, **PLAIN)["input_ids"] if passage.before else ())]


def context_length(causal: Causal) -> int:
    """The most tokens that the model reads at once."""
    config = causal.model.config.get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or causal.tokenizer.model_max_length)


@torch.inference_mode()
def _logprobs(causal: Causal, rows: Sequence[list[int]], device: str) -> list[list[float]]:
    """log p(token | all before it) of the second to the last token of each row, (T − 1) each.

    Rows are padded on the right, where a causal model looks at nothing; which side its tokenizer would pad does not
    matter.
    """
    inputs = padded(rows, causal.tokenizer.pad_token_id, device)
    logits = causal.model(**inputs, use_cache=False).logits[:, :-1].float()  # (B, T - 1, V)
    chosen = logits.gather(-1, inputs["input_ids"][:, 1:, None]).squeeze(-1) - logits.logsumexp(-1)  # (B, T - 1)
    return [one[: len(row) - 1] for one, row in zip(chosen.tolist(), rows, strict=True)]

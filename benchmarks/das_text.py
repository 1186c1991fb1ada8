"""Claim: scores of texts in batches equal a slow reference (one text at a time, full softmax in double precision) to
1e-4, on texts with emoji, Chinese, double spaces and newlines, for two real models with different tokenizers. It tells
the seconds of both ways too.

python -m benchmarks.das_text      # SmolLM2-135M and Qwen2.5-Coder-0.5B; some minutes on one core, most of it loading
"""

from __future__ import annotations

import time

import torch

from agent.das.passage import Passage
from agent.das.sentences import sentences
from agent.das.text import probabilities
from agent.das.token_spans import TokenSpan
from agent.student.causal import Causal, load_causal
from agent.student.logprobs import beginning, context_ids, text_logprobs
from agent.weights import fetch

MODELS = ("smollm2-135m-instruct", "qwen2.5-coder-0.5b-instruct")
TEXTS = (
    "The capital of France is Paris.  It is big 🙂🎉.\n\nIt lies on the Seine.",
    "巴黎是法国的首都。它很大！ 你去过吗？",
    "Yes.  No.   Maybe?\nA family 👩‍👩‍👧 lives here. C'était déjà l'été.",
    "def f(x):\n    return x  # twice\n\nIt is short. It is  not good.",
)
PROMPTS = ("", "Question: where is it?\nAnswer:", "Écris une phrase 🙂: ")


def main() -> None:
    passages = [Passage({}, text, prompt) for text in TEXTS for prompt in PROMPTS]
    passages += [Passage({}, text, turn="Tell me about it.") for text in TEXTS]
    for name in MODELS:
        causal = load_causal(fetch(name), torch.float32)
        began = time.perf_counter()
        batched = text_logprobs(causal, passages, "cpu", lambda message: None)
        middle = time.perf_counter()
        alone = [slow(causal, passage) for passage in passages]
        ended = time.perf_counter()
        worst = max(difference(*both) for both in zip(passages, batched, alone, strict=True))
        tokens = sum(len(one or ()) for one in batched)
        print(
            f"{name}: {len(passages)} texts, {tokens} tokens; largest difference of p(sentence) {worst:.1e}; "
            f"batches {middle - began:.1f} s, one at a time {ended - middle:.1f} s",
            flush=True,
        )


def slow(causal: Causal, passage: Passage) -> list[TokenSpan]:
    """The tokens of one text, alone in its batch."""
    tokenizer = causal.tokenizer
    before = context_ids(tokenizer, passage, beginning(tokenizer))
    text = tokenizer(passage.text, add_special_tokens=False, return_offsets_mapping=True)
    ids = torch.tensor([[*before, *text["input_ids"]]])
    with torch.no_grad():
        softmax = torch.softmax(causal.model(input_ids=ids).logits[0].double(), -1)  # (T, V)
    found = []
    for place, (start, end) in enumerate(text["offset_mapping"], len(before)):
        if place > 0:
            found.append(TokenSpan(start, end, float(softmax[place - 1, ids[0, place]].log())))
    return found


def difference(passage: Passage, batched: tuple[TokenSpan, ...] | None, alone: list[TokenSpan]) -> float:
    """The largest difference of p(sentence) in one text; a sentence that only one of them scores counts 1."""
    spans = sentences(passage.text)
    one, other = probabilities(passage.text, spans, batched or ()), probabilities(passage.text, spans, alone)
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    return max((0.0 if a != a and b != b else 1.0 if a != a or b != b else abs(a - b)) for a, b in pairs)


if __name__ == "__main__":
    main()

"""BERTScore (Zhang et al., arXiv 1904.09675): how alike texts are in meaning, by an encoder's vectors of their tokens.

Each token is as well matched as the likest token of the other text (cosine of the last layer's vectors); precision is
the mean over the answer's tokens, recall over the reference's, F1 their harmonic mean (equations 1 to 3; no idf, no
rescaling). The first and last special tokens can be matched, but do not count, as in the authors' bert-score 0.3.13,
which is not used: with transformers 5 it fails on an empty text.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModel, AutoTokenizer

from agent.student.batches import by_length, padded, tokenise
from agent.student.causal import UNREADABLE, is_decoder, model_type, said
from agent.student.quiet import quiet
from tasks.faults import Fault, UserError

BATCH_TOKENS = 2048
LONGEST = 512
"""Tokens of a text that are read, where the model reads so many."""


def bertscore(weights: Path, answers: Sequence[str], references: Sequence[str]) -> tuple[NDArray[np.float64], int]:
    """(N,) F1 of each answer against its reference, 0 where one of them is empty; and how many texts were cut.

    Raises:
        UserError: `weights` is no folder of a text encoder.
    """
    model, tokenizer, longest = _encoder(weights)
    texts = list(dict.fromkeys([*answers, *references]))
    tokens, cut = tokenise(tokenizer, texts, longest)
    special = {tokenizer.cls_token_id, tokenizer.sep_token_id}
    vectors: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    with torch.inference_mode():
        for batch in by_length(tokens, BATCH_TOKENS):
            states = model(**padded([tokens[i] for i in batch], tokenizer.pad_token_id or 0, "cpu")).last_hidden_state
            for row, index in zip(torch.nn.functional.normalize(states, dim=-1), batch, strict=True):
                ids = tokens[index]
                counts = torch.tensor([token not in special for token in ids])
                vectors[texts[index]] = (row[: len(ids)].clone(), counts)
        pairs = zip(answers, references, strict=True)
        return np.array([_f1(vectors[one], vectors[other]) for one, other in pairs]), cut


def _f1(one: tuple[torch.Tensor, torch.Tensor], other: tuple[torch.Tensor, torch.Tensor]) -> float:
    (answer, mine), (reference, theirs) = one, other
    if not (mine.any() and theirs.any()):
        return 0.0
    alike = answer @ reference.T  # (T answer, T reference)
    precision = float(alike.max(dim=1).values[mine].mean())
    recall = float(alike.max(dim=0).values[theirs].mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _encoder(weights: Path) -> tuple[Any, Any, int]:
    """The model, its tokenizer, and how many tokens it reads."""
    kind = model_type(weights, _not_an_encoder)
    if is_decoder(kind):
        raise _not_an_encoder(weights, f"a decoder ({kind})")
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
            model: Any = AutoModel.from_pretrained(weights, local_files_only=True, dtype=torch.float32)
    except UNREADABLE as error:
        raise _not_an_encoder(weights, said(error)) from error
    positions = int(getattr(model.config, "max_position_embeddings", 0) or LONGEST)
    return model.eval(), tokenizer, min(LONGEST, positions, int(tokenizer.model_max_length))


def _not_an_encoder(weights: Path, got: str) -> UserError:
    remedy = "Give one such as all-MiniLM-L6-v2; `evokd models` lists them."
    return UserError(Fault(f"--bertscore: {weights}", "a Hugging Face folder of a text encoder", got, remedy))

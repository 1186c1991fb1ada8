"""A head that starts from a linear probe: logistic regression on what the untrained encoder gives it.

A head from a seed pulls the encoder's features about until it fits, and on texts of another kind than those it learned
from (a teacher's, where the student will read people's) they are then worse than untouched ones; a head that fits
already leaves them be (linear probing, then fine-tuning: Kumar et al., arXiv 2202.10054).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from torch import nn

from agent.student.base import Base
from agent.student.batches import Tokens, by_length, padded
from agent.student.student import TrainRow

C = 0.1
"""Inverse strength of scikit-learn's L2 penalty. Features have a variance of about one."""
READ_TOKENS = 2048
"""In one batch of texts that are read, padding included."""


def probed(base: Base) -> bool:
    """Whether a probe can be its head: one linear layer, for whole texts, that would start from a seed (a decoder's
    starts from the labels' names)."""
    one_layer = len(base.head) == 1 and isinstance(base.model.get_submodule(base.head[0]), nn.Linear)
    return one_layer and base.seeded and not base.spans


def start_from_probe(model: Any, base: Base, tokens: Tokens, rows: Sequence[TrainRow]) -> None:
    """Sets the head of `model`, a copy of the base made for training, to a probe of the texts it will learn."""
    found = features(base, tokens)  # (N, H)
    weights = np.array([[row.weight] for row in rows])  # (N, 1)
    targets = np.array([row.target for row in rows]) * weights / weights.mean()  # (N, L)
    weight, bias = probe(found, targets)
    wanted = {base.head[0], f"base_model.model.{base.head[0]}.modules_to_save.default"}  # in full, with peft
    for name, module in model.named_modules():
        if name in wanted and isinstance(module, nn.Linear):
            with torch.no_grad():
                module.weight.copy_(torch.from_numpy(weight))
                module.bias.copy_(torch.from_numpy(bias))


def learned(model: Any) -> dict[str, torch.Tensor]:
    """A copy of what training will change."""
    return {name: one.detach().clone() for name, one in model.named_parameters() if one.requires_grad}


@torch.no_grad()
def back(model: Any, before: Mapping[str, torch.Tensor], share: float) -> None:
    """Makes the weights of `model` `share` of those it was trained from and the rest of its own (WiSE-FT: Wortsman et
    al., arXiv 2109.01903)."""
    for name, one in model.named_parameters():
        if name in before:
            one.lerp_(before[name].to(one.device), share)


def probe(found: NDArray[np.float64], targets: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight (L, H) and bias (L,) of a logistic regression on features (N, H).

    targets: (N, L), how much each text weighs as an example of each label. A label without any gets no weight, and so
    the bias of its being as rare as that.
    """
    labels = targets.shape[1]
    texts, wanted = np.nonzero(targets > 0)
    known = np.unique(wanted)
    weight, bias = np.zeros((labels, found.shape[1])), np.zeros(labels)
    if len(known) < 2:
        return weight, bias
    with threadpool_limits(limits=1):  # sums in one order: a resumed run has the same head
        fitted = LogisticRegression(C=C, max_iter=1000).fit(found[texts], wanted, targets[texts, wanted])
    if len(known) == 2:  # scikit-learn has one row then, for the second label
        weight[known], bias[known] = np.concatenate([-fitted.coef_, fitted.coef_]) / 2, 0.0
        bias[known[0]], bias[known[1]] = -fitted.intercept_[0] / 2, fitted.intercept_[0] / 2
    else:
        weight[known], bias[known] = fitted.coef_, fitted.intercept_
    return weight, bias


@torch.inference_mode()
def features(base: Base, tokens: Tokens) -> NDArray[np.float64]:
    """(N, H) what the base gives its head for each text."""
    head = base.model.get_submodule(base.head[0])
    seen: list[torch.Tensor] = []
    handle = head.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    result = np.zeros((len(tokens), head.in_features))
    device = next(base.model.parameters()).device
    try:
        for batch in by_length(tokens, READ_TOKENS):
            inputs = padded([tokens[index] for index in batch], base.tokenizer.pad_token_id, str(device))
            base.model(**inputs)
            result[batch] = seen.pop().float().cpu().numpy()
    finally:
        handle.remove()
    return result

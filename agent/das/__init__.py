"""Divergence-aware sampling: the maths for labels and for text, and how a text is cut into what is compared."""

from typing import Literal

Rule = Literal["count", "ratio", "random", "longest"]
"""What is kept by what the sentences say (rules.py); the last two are controls."""
BY_SENTENCES = ("count", "ratio")
"""The rules that need the log-probabilities of both models."""

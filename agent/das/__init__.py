"""Divergence-aware sampling: the maths for labels and for text, and how a text is cut into what is compared."""

"""evokd: an active-learning agent that distils a large language model into a small model you own."""

__version__ = "0.1.0"

"""The teacher: a large language model behind an OpenAI-compatible endpoint, paid once through the ledger."""

"""Loads agent.student before any test module imports torch: it sets how torch's threads wait."""

import agent.student  # noqa: F401

"""Strategy: what a named strategy changes about the loop. Found by its file name; there is no registry."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agent.config import Part
from tasks.faults import Fault, UserError, quoted

OURS: tuple[Part, ...] = ("names", "shortlist", "reconcile", "average", "hardness", "subjects", "match")
"""What evokd adds to a method and every baseline therefore does without."""


@dataclass(frozen=True)
class Writing:
    """What the generating prompt is and shows."""

    prompt: str = "generate"
    """A file of `prompts/`: generate, or rephrase (one seed example a call, said in other words)."""
    first: str | None = None
    """The prompt of iteration 0, where it is another."""
    seeds: Literal["always", "needed", "never"] = "always"
    """When seed examples of the label are shown. `needed`: where its name alone does not say what to write (`named` of
    the task is empty); a small teacher repeats the example it is shown."""
    attributes: bool = True
    """Asks each text for attributes of its own: length, register, subject."""
    aimed: bool = True
    """A hard text is to read at first like a label that the student took such texts for, and easy ones are asked for
    without a word of its mistakes. Else both are asked for in the conversation of the analysis, as the paper has it."""
    missed: bool = False
    """Only of seed examples that the student gets wrong: it is examined on these, not on its batch."""

    def prompt_of(self, iteration: int) -> str:
        return self.first if self.first is not None and iteration == 0 else self.prompt


@dataclass(frozen=True)
class Strategy:
    """A strategy is the same graph, less `without`, with `settings` of the run fixed."""

    gloss: str
    without: tuple[Part, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the recipe, under `--set`."""
    labels: Literal["teacher", "gold", "eda"] = "teacher"
    """Who makes a batch: the teacher, the gold labels of the pool, or changed seed examples."""
    kinds: tuple[str, ...] = ("hard", "easy")
    """What is generated: hard and easy, or plain."""
    apart: tuple[str, ...] = ("hard",)
    """Kinds that are labelled in a separate call even when the teacher is proven (see agent/trust.py)."""
    writing: Writing = field(default_factory=Writing)
    weighing: bool = False
    """Whether generated examples get learned weights before each training."""
    of_labels: str | None = None
    """Why it is for labels of whole texts alone, and nothing for spans or written answers; None where it is for all."""


def strategy_names() -> list[str]:
    """The strategies there are."""
    files = Path(__file__).parent.glob("*.py")
    return sorted(path.stem for path in files if path.stem not in {"__init__", "strategy"})


def find_strategy(name: str) -> Strategy:
    """The strategy in `agent/baselines/<name>.py`."""
    known = strategy_names()
    if name not in known:
        remedy = "Choose one of these."
        raise UserError(Fault("--strategy", f"one of {', '.join(known)}", quoted(name), remedy))
    found: Strategy = importlib.import_module(f"agent.baselines.{name}").STRATEGY
    return found

"""Task kind `pair`: what two texts have to do with each other, as in natural language inference.

Data rows: {"premise", "hypothesis", "label"}; other names with `columns`. The student reads both in one sequence, as
its tokenizer joins two texts (BERT, arXiv 1810.04805, §3.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tasks import classification
from tasks.classification import METRIC as METRIC
from tasks.classification import examined as examined
from tasks.classification import likelihood as likelihood
from tasks.classification import likeness as likeness
from tasks.classification import metrics as metrics
from tasks.classification import said as said
from tasks.classification import target as target
from tasks.task import Example, Sample, Task

KIND = "pair"

FIELDS = ("premise", "hypothesis")

SAMPLE = Sample(
    text="pair of premise and hypothesis    # what one example is",
    question="Does the premise entail the hypothesis, contradict it, or neither?",
    labels={"entailment": "it must be true", "contradiction": "it cannot be true", "neutral": "it may be true"},
    subjects="a journey, a kitchen, a workplace, sport, weather",
    seed=(
        {"premise": "Two boys run home in the rain.", "hypothesis": "The boys get wet.", "label": "entailment"},
        {"premise": "The shop opens at nine.", "hypothesis": "It is shut all morning.", "label": "contradiction"},
        {"premise": "A woman reads on the train.", "hypothesis": "She is on her way to work.", "label": "neutral"},
    ),
    test=(
        {"premise": "He paid for both tickets.", "hypothesis": "He bought tickets.", "label": "entailment"},
        {"premise": "The lake is frozen.", "hypothesis": "Children swim in the lake.", "label": "contradiction"},
        {"premise": "The cook tastes the soup.", "hypothesis": "The soup needs salt.", "label": "neutral"},
    ),
)


class Columns(BaseModel):
    model_config = ConfigDict(extra="forbid")
    premise: str = "premise"
    hypothesis: str = "hypothesis"
    label: str = "label"


class Spec(classification.Labelled):
    """The fields of a pair task.yaml."""

    kind: str = KIND
    text: str = Field("pair of premise and hypothesis", min_length=1)
    columns: Columns = Columns()


def read(spec: Mapping[str, Any], file: Path) -> Task:
    """The task that `spec` (the content of `file`) describes, with its data.

    Raises:
        UserError: every fault of the fields; then every fault of the data.
    """
    return classification.read_as(Spec, FIELDS, spec, file)


def example(place: str, row: Mapping[str, Any], labels: Mapping[str, str]) -> Example:
    """The labelled example of a row. Raises UserError where it is none."""
    return classification.example_as(FIELDS, Columns(), place, row, labels)

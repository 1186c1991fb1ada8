"""What is wrong with marked entities: missed, invented, of a wrong boundary, or of a wrong type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.task import Entity

KINDS = ("missed", "invented", "boundary", "type")


@dataclass(frozen=True)
class SpanError:
    """One mistake. `gold` is None where it was invented, `said` where it was missed."""

    kind: str
    gold: Entity | None
    said: Entity | None

    @property
    def label(self) -> str:
        """The entity type that the mistake is counted under: the right one where there is one."""
        one = self.gold or self.said
        assert one is not None
        return one.label


def errors(gold: Sequence[Entity], said: Sequence[Entity]) -> list[SpanError]:
    """Every mistake of `said`, each entity of either side in at most one.

    What is exactly right is set apart; of the rest those that share characters are paired in the order of the text,
    as `type` where the labels differ and else as `boundary`; what is then alone was missed or invented.
    """
    right = set(gold) & set(said)
    wrong = [one for one in gold if one not in right]
    left = [one for one in said if one not in right]
    found = []
    for entity in wrong:
        mine = next((one for one in left if one.start < entity.end and entity.start < one.end), None)
        if mine is None:
            found.append(SpanError("missed", entity, None))
            continue
        left.remove(mine)
        found.append(SpanError("boundary" if mine.label == entity.label else "type", entity, mine))
    return found + [SpanError("invented", None, one) for one in left]

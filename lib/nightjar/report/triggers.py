"""What the rules of retraining decided on a night, also where they decided against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nightjar.report.reading import PinnedTables
from nightjar.report.signals import parsed

TRAIN = "train"


@dataclass(frozen=True)
class ShownTrigger:
    """One rule's decision; see the table `triggers`."""

    rule: str
    decision: str
    sentence: str
    needed: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether it asks for a training."""
        return self.decision == TRAIN

    @property
    def words(self) -> str:
        """The decision for people."""
        return self.decision.replace("_", " ")


def read_triggers(tables: PinnedTables) -> list[ShownTrigger]:
    """The decisions of the night, those for a training first."""
    columns = ["rule", "decision", "sentence", "needed", "evidence"]
    shown = [_shown(row) for row in tables.rows("triggers", columns, tables.of_night())]
    return sorted(shown, key=lambda one: (not one.trains, one.decision == "no", one.rule))


def _shown(row: Mapping[str, Any]) -> ShownTrigger:
    rule, decision, sentence, needed = (str(row[name] or "") for name in ("rule", "decision", "sentence", "needed"))
    return ShownTrigger(rule, decision, sentence, needed, parsed(row["evidence"]))

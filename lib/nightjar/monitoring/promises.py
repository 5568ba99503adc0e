"""What a version's training has promised: its figures on the final period, its best baseline's, and its nights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

from nightjar.evaluation.followed import ALL
from nightjar.evaluation.rehearsal import Rehearsal
from nightjar.registry import events
from nightjar.tables.warehouse import Warehouse


@dataclass(frozen=True)
class Promise:
    """The figures of one version at its training.

    Attributes:
        own: measure -> its estimate, low and high; empty: not on record.
        baseline: the same of its best baseline.
        baseline_name: what that is called.
        rehearsal: its nights as they would have been followed; of an older version none.
    """

    own: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    baseline: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    baseline_name: str | None = None
    rehearsal: Rehearsal = field(default_factory=Rehearsal)

    def beside(self, of: str, measure: str) -> dict[str, float | None]:
        """The columns of the table `performance` that put a figure beside the promised ones."""
        if of != ALL:
            return {"at_training": None, "baseline": None}
        return {"at_training": _estimate(self.own, measure), "baseline": _estimate(self.baseline, measure)}


def read_promises(warehouse: Warehouse) -> dict[str, Promise]:
    """Version -> what its registration says."""
    rows = events.read(warehouse, pc.field("event") == "registered")
    return {row["model_version"]: promise_of(events.version_of(row).evidence) for row in rows}


def promise_of(evidence: Mapping[str, Any]) -> Promise:
    """What the evidence of a version promises."""
    own, baselines = evidence.get("candidate") or {}, evidence.get("baselines") or {}
    best = (evidence.get("difference") or {}).get("over")
    rehearsal = Rehearsal.from_json(evidence.get("rehearsal"))
    return Promise(_figures(own), _figures(baselines.get(best) or {}), best, rehearsal)


def _figures(measures: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {name: one for name, one in measures.items() if isinstance(one, Mapping)}


def _estimate(figures: Mapping[str, Mapping[str, Any]], measure: str) -> float | None:
    estimate: float | None = figures.get(measure, {}).get("estimate")
    return estimate

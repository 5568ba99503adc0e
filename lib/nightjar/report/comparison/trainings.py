"""The trainings that are compared, as the tables have them."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.registry.events import STAND_IN
from nightjar.report.card.records import TrainingRun, run_of
from nightjar.report.champion import Promise, promise_of
from nightjar.report.reading import PinnedTables

NEWEST = 5
"""So many trainings are compared if nothing else is said."""


@dataclass(frozen=True)
class Training:
    """A training and the version that it has registered.

    Attributes:
        number: of the version.
        name: of its candidate.
        standing: what was decided last, such as "promoted for 2024-04-03"; none yet: "undecided".
        parameters: setting of the candidate -> its value as text; none where the training did not record them.
        tables: table -> Delta version that it has read.
    """

    number: str
    name: str
    run: TrainingRun
    standing: str
    evidence: Mapping[str, Any]
    promise: Promise | None
    parameters: Mapping[str, str]
    tables: Mapping[str, int]

    @property
    def is_stand_in(self) -> bool:
        """Whether it is a baseline beside a winner, of whose run it is: the scores on record there are the winner's."""
        return bool(self.evidence.get(STAND_IN))


def read_trainings(
    tables: PinnedTables, numbers: Collection[int] = (), since: date | None = None, until: date | None = None
) -> list[Training]:
    """The trainings, the oldest first.

    Args:
        tables: pinned.
        numbers: of their versions; none: those of the range.
        since: first run date; None: the newest ones are taken.
        until: last run date; None: the newest one.

    Raises:
        ModelError: a version is not on record, or there is nothing to compare.
    """
    columns = ["event", "event_id", "alias", "model_version", "model_name", "holds_from", "evidence", "recorded_at"]
    events = sorted(
        tables.rows("model_events", [*columns, "run_id"]), key=lambda row: (row["recorded_at"], row["event_id"])
    )
    registered = {row["model_version"]: row for row in events if row["event"] == "registered"}
    missing = [str(number) for number in numbers if str(number) not in registered]
    project, there_are = tables.warehouse.project, ", ".join(registered) or "none"
    if missing:
        raise ModelError(
            f"versions: {', '.join(missing)} of {project} is not registered: table model_events has {there_are}. "
            "Nothing was written."
        )
    chosen = [row for number, row in registered.items() if _is_chosen(row, numbers, since, until)]
    if not numbers and since is None:
        chosen = chosen[-NEWEST:]
    if not chosen:
        dates = f"{since or 'the first'} to {until or 'the last'}"
        raise ModelError(
            f"No training of {project} is for run dates of {dates}: table model_events has the versions {there_are}. "
            "Nothing was written."
        )
    return [_training(tables, row, events) for row in chosen]


def _is_chosen(row: Mapping[str, Any], numbers: Collection[int], since: date | None, until: date | None) -> bool:
    """Of a range the winners alone: a baseline that may stand in is in the figures of each."""
    if numbers:
        return int(row["model_version"]) in numbers
    is_after = since is None or row["holds_from"] >= since
    return row["alias"] is None and is_after and (until is None or row["holds_from"] <= until)


def _training(tables: PinnedTables, row: Mapping[str, Any], events: list[dict[str, Any]]) -> Training:
    evidence, number = json.loads(row["evidence"]), row["model_version"]
    decided = [one for one in events if one["model_version"] == number and one["event"] != "registered"]
    standing = f"{decided[-1]['event']} for {decided[-1]['holds_from']}" if decided else "undecided"
    inputs = tables.rows("runs", ["inputs"], pc.field("run_id") == row["run_id"])
    return Training(
        number,
        row["model_name"],
        run_of(tables, row),
        standing,
        evidence,
        promise_of(evidence),
        parameters_of(evidence.get("recipe") or {}),
        dict(inputs[0]["inputs"]) if inputs else {},
    )


def parameters_of(recipe: Mapping[str, Any]) -> dict[str, str]:
    """The settings of a candidate that differ from their defaults: path -> value.

    Example:
        >>> parameters_of({"model": {"estimator": "boosting", "parameters": {"max_iter": 200}}, "members": {}})
        {'estimator': 'boosting', 'parameters.max_iter': '200'}
    """
    members = {f"members.{name}": model for name, model in (recipe.get("members") or {}).items()}
    mitigation = {"mitigation": recipe["mitigation"]} if recipe.get("mitigation") else {}
    return _flat(recipe.get("model") or {}) | _flat(members) | _flat(mitigation)


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        path = f"{start}{name}"
        flat |= (
            _flat(value, f"{path}.") if isinstance(value, Mapping) and value else {path: json.dumps(value).strip('"')}
        )
    return flat

"""The table `model_events`: which version holds which alias from which run date, and why."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.registry.attempts import Attempt
from nightjar.registry.promotion import Approval
from nightjar.tables import arrow
from nightjar.tables.definitions import MODEL_EVENTS
from nightjar.tables.warehouse import Warehouse

CHAMPION, STAND_IN = "champion", "stand_in"
DEFINITIONS = "definitions"
"""In the evidence: the hash of the feature definitions that the version was trained on; older events lack it."""
LABEL_HASH = "label_hash"
"""The same of the label's definition."""
ATTEMPT = "attempt"
"""In the evidence: what was compared with what the version would replace, and at which level; see `attempts`."""
MISSING_DATES, ACTED_ON, PEAK_MEMORY = "missing_dates", "acted_on", "peak_memory_bytes"
"""In the evidence: dates without labelled rows, as a sentence, or null; the share of known labels of rows that somebody
has acted on; the most memory that the process of the training held, null where it cannot be told. Older events lack
them."""
APPROVAL = "approval"
"""The person who has approved, rejected or rolled back."""
OUTCOMES = "outcomes"
"""In the evidence of a decision, or of a challenger that was decided for: what each gate says, as
`registry.gates.outcome.Outcome` holds it."""
ROLLED_BACK = "rolled_back"
"""In the evidence of a rollback: the version that was champion until then."""


@dataclass(frozen=True)
class Version:
    """A registered version: its number, the name of its candidate, and the evidence recorded with it."""

    number: str
    model_name: str
    holds_from: date
    evidence: Mapping[str, Any]

    @property
    def is_stand_in(self) -> bool:
        """Whether it is a baseline that scores until a winner is promoted."""
        return bool(self.evidence.get(STAND_IN))

    def is_of(self, definitions: str | None, label: str | None) -> bool:
        """Whether its definitions of features and label have these hashes, or are not on record."""
        current = {DEFINITIONS: definitions, LABEL_HASH: label}
        return all(self.evidence.get(name) in (None, digest) for name, digest in current.items())


def record(warehouse: Warehouse, event: str, version: Version, run_id: str, alias: str | None = None) -> int:
    """Append one event; returns the table's new version."""
    row = {
        "event_id": uuid.uuid4().hex,
        "event": event,
        "alias": alias,
        "model_version": version.number,
        "model_name": version.model_name,
        "holds_from": version.holds_from,
        "evidence": json.dumps(version.evidence, allow_nan=False),
        "recorded_at": datetime.now(UTC),
        "run_id": run_id,
    }
    return arrow.append(warehouse, MODEL_EVENTS, [row], run_id)


def champion(warehouse: Warehouse, run_date: date) -> Version:
    """The champion as of a run date: of the promotions that hold from it or earlier, the last one.

    Raises:
        ModelError: none holds.
    """
    version = find_champion(warehouse, run_date)
    if version is None:
        refusal = _latest(warehouse, run_date, "refused", CHAMPION)
        why = (
            ""
            if refusal is None
            else (
                f" Version {refusal.number} ({refusal.model_name}) was refused on {refusal.holds_from}: "
                f"{refusal.evidence.get('reason')}"
            )
        )
        raise ModelError(
            f"No champion of {warehouse.project} holds on {run_date}: no model was promoted for that date or an "
            f"earlier one.{why} Run jobs/train.py and jobs/promote.py for {run_date}."
        )
    return version


def find_champion(warehouse: Warehouse, run_date: date = date.max) -> Version | None:
    """The champion as of a run date, or None."""
    return _latest(warehouse, run_date, "promoted", CHAMPION)


def promotions(warehouse: Warehouse) -> list[Version]:
    """Every version as it became champion, the one that holds from the latest run date last."""
    return [version_of(row) for row in _of_kind(warehouse, "promoted", CHAMPION)]


def of_run(warehouse: Warehouse, run_id: str) -> list[Version]:
    """The versions of which a run has recorded something, each once."""
    rows = read(warehouse, pc.field("run_id") == run_id)
    return list({row["model_version"]: version_of(row) for row in rows}.values())


@dataclass(frozen=True)
class Opinion:
    """What people have said of a version.

    Attributes:
        approvals: since somebody was last against it.
        veto: the reason of who was against it last, where nobody has approved it since; None: there is none.
    """

    approvals: tuple[Approval, ...]
    veto: str | None


def opinion(warehouse: Warehouse, number: str) -> Opinion:
    """What people have said of a version: who rejects it, or rolls back from it, takes back what was approved."""
    return opinion_in(read(warehouse), number)


def opinion_in(rows: Sequence[Mapping[str, Any]], number: str) -> Opinion:
    """The same of events as `read` gives them."""
    approvals, veto = list[Approval](), None
    for row in rows:
        evidence, is_about = json.loads(row["evidence"]), row["model_version"] == number
        approval = evidence.get(APPROVAL)
        is_against = row["event"] == "refused" and is_about and approval is not None
        if is_against or evidence.get(ROLLED_BACK) == number:
            approvals, veto = [], str(evidence.get("reason"))
        elif row["event"] == "approved" and is_about:
            approvals, veto = [*approvals, Approval(**approval)], None
    return Opinion(tuple(approvals), veto)


def attempts(warehouse: Warehouse) -> list[Attempt]:
    """The comparisons by which trainings could have promoted a model, as they were recorded."""
    rows = [row for row in read(warehouse, pc.field("event") == "registered") if row["alias"] is None]
    stated = [(row, json.loads(row["evidence"]).get(ATTEMPT)) for row in rows]
    return [Attempt(one["digest"], row["holds_from"], one["level"]) for row, one in stated if one is not None]


def registered(warehouse: Warehouse, number: str) -> Version:
    """A version as it was registered.

    Raises:
        ModelError: there is none.
    """
    rows = [row for row in _of_kind(warehouse, "registered", None) if row["model_version"] == number]
    if not rows:
        numbers = ", ".join(row["model_version"] for row in _of_kind(warehouse, "registered", None)) or "none at all"
        raise ModelError(f"No training of {warehouse.project} has registered version {number}: there is {numbers}.")
    return version_of(rows[-1])


def newest_registered(warehouse: Warehouse, run_date: date) -> Version:
    """The version registered last by a training for the run date.

    Raises:
        ModelError: there is none.
    """
    version = _latest(warehouse, run_date, "registered", None)
    if version is None or version.holds_from != run_date:
        raise ModelError(f"No model was trained for {run_date}: there is nothing to promote. Run jobs/train.py first.")
    return version


def find_stand_in(warehouse: Warehouse, run_date: date) -> Version | None:
    """The baseline that the last training for the run date has registered, to stand in for its winner, or None."""
    version = _latest(warehouse, run_date, "registered", STAND_IN)
    return version if version is not None and version.holds_from == run_date else None


def versions_of_other_labels(warehouse: Warehouse, label_hash: str) -> list[str]:
    """The versions whose record says that they were trained on labels of another definition."""
    if not arrow.exists(warehouse, MODEL_EVENTS.name):
        return []
    rows = arrow.read(warehouse, MODEL_EVENTS.name, ["model_version", "evidence"], pc.field("event") == "registered")
    trained_on = {row["model_version"]: json.loads(row["evidence"]).get(LABEL_HASH) for row in rows.to_pylist()}
    return sorted(version for version, digest in trained_on.items() if digest not in (None, label_hash))


def newest_number(warehouse: Warehouse) -> str | None:
    """The number of the version registered last, by whatever training; None if there is none."""
    version = _latest(warehouse, date.max, "registered", None)
    return None if version is None else version.number


def _latest(warehouse: Warehouse, run_date: date, event: str, alias: str | None) -> Version | None:
    rows = [row for row in _of_kind(warehouse, event, alias) if row["holds_from"] <= run_date]
    return version_of(rows[-1]) if rows else None


def _of_kind(warehouse: Warehouse, event: str, alias: str | None) -> list[dict[str, Any]]:
    """Events of one kind, by the run date from which they hold, those of one date as they were recorded."""
    rows = [row for row in read(warehouse, pc.field("event") == event) if row["alias"] == alias]
    return sorted(rows, key=lambda row: row["holds_from"])


def read(warehouse: Warehouse, where: pc.Expression | None = None) -> list[dict[str, Any]]:
    """Events, all or those that meet a condition, in the order in which they were recorded."""
    if not arrow.exists(warehouse, MODEL_EVENTS.name):
        return []
    rows = arrow.read(warehouse, MODEL_EVENTS.name, where=where).to_pylist()
    return sorted(rows, key=lambda row: (row["recorded_at"], row["event_id"]))


def version_of(row: Mapping[str, Any]) -> Version:
    """The version of an event."""
    return Version(row["model_version"], row["model_name"], row["holds_from"], json.loads(row["evidence"]))

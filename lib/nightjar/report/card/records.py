"""Everything that is on record of one version, read from the tables."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import pyarrow.compute as pc

from nightjar.errors import ModelError
from nightjar.registry.events import APPROVAL, ROLLED_BACK, STAND_IN
from nightjar.registry.manifest import Manifest
from nightjar.registry.promotion import Approval
from nightjar.report.performance import JudgedDate, read_performance_of
from nightjar.report.reading import PinnedTables
from nightjar.settings.project import Project

_COLUMNS = ("event_id", "event", "alias", "model_version", "model_name", "holds_from", "evidence", "recorded_at")


@dataclass(frozen=True)
class Decision:
    """What was decided of a version.

    Attributes:
        event: `approved`, `promoted` or `refused`, or `rolled back` where an earlier one took its place.
        holds_from: the first run date for which it holds.
        approval: of the person who decided; None: the evidence did.
        outcomes: of the gates, as `registry.gates.outcome.Outcome` holds them; of a person's word none.
    """

    event: str
    holds_from: date
    recorded_at: datetime
    reason: str
    approval: Approval | None
    outcomes: Sequence[Mapping[str, Any]]

    def is_approved(self) -> bool:
        """Whether it follows from what people have approved: its reason, by `registry.promotion.decide`, says so."""
        return self.reason.startswith("approved by ")


@dataclass(frozen=True)
class TrainingRun:
    """The run that trained a version; None: it is not on record.

    Attributes:
        run_id: of the job.
        run_date: it knew what was known at this date's midnight.
        recorded_at: when the version was registered.
        code_revision: of Nightjar.
        seconds: that the run took.
    """

    run_id: str
    run_date: date
    recorded_at: datetime
    code_revision: str | None
    seconds: float | None


@dataclass(frozen=True)
class Records:
    """What is on record of a version.

    Attributes:
        project: as it is configured now.
        number: of the version.
        name: of its candidate.
        run: that trained it.
        evidence: of its registration.
        manifest: of its artifact; None: see `absence`.
        absence: why there is no manifest.
        decisions: oldest first.
        champion: the version that holds by the last decision, and from when on; None: none does.
        judged: the nights that it has served, the latest first.
        definitions_differ: whether features or label have been defined otherwise since it was trained.
    """

    project: Project
    number: str
    name: str
    run: TrainingRun
    evidence: Mapping[str, Any]
    manifest: Manifest | None
    absence: str | None
    decisions: Sequence[Decision]
    champion: tuple[str, date] | None
    judged: Sequence[JudgedDate]
    definitions_differ: bool = False

    @property
    def is_stand_in(self) -> bool:
        """Whether it is a baseline that scores until a winner is promoted."""
        return bool(self.evidence.get(STAND_IN))

    @property
    def is_champion(self) -> bool:
        """Whether it holds by the last decision."""
        return self.champion is not None and self.champion[0] == self.number


def read_records(
    tables: PinnedTables,
    project: Project,
    number: str,
    manifest: Manifest | None,
    absence: str | None = None,
    *,
    definitions_differ: bool = False,
) -> Records:
    """Read what is on record of a version.

    Args:
        tables: pinned.
        project: whose.
        number: of the version.
        manifest: of its artifact, verified.
        absence: why there is no manifest.
        definitions_differ: see `Records`.

    Raises:
        ModelError: the version is not on record.
    """
    events = sorted(
        tables.rows("model_events", [*_COLUMNS, "run_id"]), key=lambda row: (row["recorded_at"], row["event_id"])
    )
    own = [row for row in events if row["model_version"] == number]
    registered = next((row for row in own if row["event"] == "registered"), None)
    if registered is None:
        numbers = ", ".join(row["model_version"] for row in events if row["event"] == "registered") or "none"
        raise ModelError(
            f"Version {number} of {project.name} is not registered: table model_events has {numbers}. No card was "
            "written."
        )
    return Records(
        project,
        number,
        registered["model_name"],
        run_of(tables, registered),
        json.loads(registered["evidence"]),
        manifest,
        absence,
        [decision for row in events if (decision := _decision(row, number)) is not None],
        _champion(events),
        read_performance_of(tables, number),
        definitions_differ,
    )


def _decision(row: Mapping[str, Any], number: str) -> Decision | None:
    """What an event decides of a version; None: nothing."""
    evidence = json.loads(row["evidence"])
    is_own = row["model_version"] == number
    event = "rolled back" if evidence.get(ROLLED_BACK) == number else row["event"]
    if event == "registered" or not (is_own or event == "rolled back"):
        return None
    approval = evidence.get(APPROVAL)
    return Decision(
        event,
        row["holds_from"],
        row["recorded_at"],
        str(evidence.get("reason") or "the reason was not recorded"),
        None if approval is None else Approval(**approval),
        evidence.get("outcomes", ()) if is_own and event != "approved" else (),
    )


def _champion(events: Sequence[Mapping[str, Any]]) -> tuple[str, date] | None:
    """The version that the promotion with the latest first run date names, of several the one recorded last."""
    promoted = [row for row in events if row["event"] == "promoted"]
    last = max(promoted, key=lambda row: (row["holds_from"], row["recorded_at"], row["event_id"]), default=None)
    return None if last is None else (last["model_version"], last["holds_from"])


def run_of(tables: PinnedTables, registered: Mapping[str, Any]) -> TrainingRun:
    """The row of `runs` is written when the job ends, some time after the registration."""
    where = pc.field("run_id") == registered["run_id"]
    row = next(iter(tables.rows("runs", ["code_revision", "seconds"], where)), {})
    return TrainingRun(
        registered["run_id"],
        registered["holds_from"],
        registered["recorded_at"],
        row.get("code_revision"),
        row.get("seconds"),
    )

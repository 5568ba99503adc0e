"""Where reviewers work: the queue, what was done with its cases, and what one of them does next."""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from threading import Lock
from typing import Any

import pyarrow as pa

from nightjar.durations import parse_duration
from nightjar.errors import NightjarError, ReviewError
from nightjar.masking.values import masking_of
from nightjar.review.cases import History, history_of, require_possible, require_unchanged
from nightjar.review.ledger import Ledger, Stored
from nightjar.review.queue import Queue, last_night, read_queue
from nightjar.settings.project import Project
from nightjar.tables import arrow, merging
from nightjar.tables.reviews import CLAIM, DECIDE, TABLE, UNDO
from nightjar.tables.serving_definitions import reviews_table
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import later

log = logging.getLogger("nightjar.review")
LONGEST_REASON = 2_000  # characters
MOST_FILES = 200
"""More files of the table than so many are merged: each action is a file."""


@dataclass(frozen=True)
class Act:
    """What a person wants to do with a case.

    Attributes:
        prediction_id: of the case.
        kind: `CLAIM`, `RELEASE`, `DECIDE` or `UNDO`.
        decision: of `DECIDE`.
        reason: why; None: the person does not say.
        seen: how many actions on the case the person saw; None: it is not said.
    """

    prediction_id: str
    kind: str
    decision: str | None = None
    reason: str | None = None
    seen: int | None = None


class Desk:
    """A project's cases. It has no state of its own: what it remembers is what tables held at a version."""

    def __init__(self, warehouse: Warehouse, project: Project, run_id: str, until: date | None = None) -> None:
        """Open it.

        Args:
            warehouse: where the tables lie.
            project: whose cases.
            run_id: of the run that records what people do.
            until: the last night whose predictions are cases; None: the last there is, whenever it is asked for.
        """
        self.warehouse, self.project, self.run_id, self.until = warehouse, project, run_id, until
        self.settings, self.masking = project.serving.review, masking_of(project)
        self.ledger, self.recorded = Ledger(warehouse), 0
        self._lock = Lock()
        self._queue: tuple[dict[str, int], Queue] | None = None

    def queue(self) -> Queue:
        """The cases there are now; read again only when a table has changed."""
        with self._lock:
            versions = arrow.versions(self.warehouse, ["scores", *(["features"] if self.settings.worth else [])])
            if self._queue is None or self._queue[0] != versions:
                night = last_night(self.warehouse, self.until)
                self._queue = versions, read_queue(self.warehouse, self.project, night)
            return self._queue[1]

    def history(self, prediction_id: str, now: datetime, stored: Stored | None = None) -> History:
        """What was done with a case; `stored` is what the ledger has read, for who asks about many."""
        return self._history(self.ledger.read() if stored is None else stored, prediction_id, now)

    def act(self, acts: Sequence[Act], reviewer: str, recorded_by: str, now: datetime) -> None:
        """Record what a person does with some cases, in one commit: all or nothing.

        Whether it may be done is looked at again on the very version that the commit follows, so of two people who
        decide the same case at once one is recorded, and the other one told.

        Raises:
            ReviewError: it is not possible, or the case is not in the queue. Nothing was written.
        """
        queue, stored = self.queue(), self.ledger.read()
        before = {act.prediction_id: self._history(stored, act.prediction_id, now) for act in acts}
        self._require(queue, acts, before, reviewer)
        rows = [self._record(queue, act, before[act.prediction_id], reviewer, recorded_by) for act in acts]

        def require(version: int) -> None:
            latest = self.ledger.read(version)
            for name, history in before.items():
                require_unchanged(self._history(latest, name, now), len(history.actions), reviewer)

        table = reviews_table(pa.schema([queue.rows.schema.field(name) for name in self.project.spine.key]))
        arrow.append(self.warehouse, table, rows, self.run_id, require)
        self.recorded += len(acts)
        for act in acts:
            log.info("%s: %s %s", act.prediction_id[:12], reviewer, f"{act.kind} {act.decision or ''}".rstrip())
        self._merge()

    def _merge(self) -> None:
        """Merge the table's files where they are many; a failure is only logged: what people did is recorded."""
        try:
            self.ledger.read()
            if self.ledger.files > MOST_FILES:
                merging.merge_files(self.warehouse, TABLE, self.run_id)
        except NightjarError as error:
            log.warning("what was done is recorded, but the files of table %s were not merged: %s", TABLE, error)

    def proposal(self, tier: str | None) -> str | None:
        """The decision that holds in a tier unless somebody decides otherwise."""
        return None if tier is None else self.settings.proposals.get(tier)

    def _history(self, stored: Stored, prediction_id: str, now: datetime) -> History:
        return history_of(prediction_id, stored.actions(prediction_id), self.settings, now)

    def _require(self, queue: Queue, acts: Sequence[Act], before: Mapping[str, History], reviewer: str) -> None:
        if len(before) < len(acts):
            raise ReviewError("A case is there twice, expected each case once. Nothing was written.")
        for act in acts:
            row, history = queue.row(act.prediction_id), before[act.prediction_id]
            if row is None:
                raise ReviewError(
                    f"Case {act.prediction_id[:12]} is not in the queue of the last {self.settings.nights} nights. "
                    "Nothing was written."
                )
            if len(act.reason or "") > LONGEST_REASON:
                raise ReviewError(f"A reason of {len(act.reason or ''):,} characters: {LONGEST_REASON:,} at most.")
            if act.seen is not None:
                require_unchanged(history, act.seen, reviewer)
            require_possible(history, act.kind, reviewer)
            if act.kind == DECIDE:
                self._require_decision(act, self.proposal(row["tier"]))

    def _require_decision(self, act: Act, proposal: str | None) -> None:
        decision = self.settings.decisions.get(act.decision or "")
        if decision is None:
            names = ", ".join(self.settings.decisions)
            raise ReviewError(f"{act.decision!r} is no decision, expected one of {names}. Nothing was written.")
        overrides = proposal is not None and act.decision != proposal
        if (overrides or decision.reason) and act.reason is None:
            why = f"it overrides the proposal, {proposal}" if overrides else f"{act.decision} always needs one"
            raise ReviewError(f"Say why you decide {act.decision}: {why}. Nothing was written.")

    def _record(self, queue: Queue, act: Act, history: History, reviewer: str, recorded_by: str) -> dict[str, Any]:
        """A row of the table."""
        row = queue.row(act.prediction_id) or {}
        copied = ("prediction_time", *self.project.spine.key, "score", "tier", "model_version", "run_date")
        record: dict[str, Any] = {name: row[name] for name in copied}
        record |= {"review_id": uuid.uuid4().hex, "prediction_id": act.prediction_id, "run_id": self.run_id}
        record |= {"number": len(history.actions) + 1, "action": act.kind, "recorded_at": history.now}
        record |= {"reviewer": reviewer, "recorded_by": recorded_by}
        record["reason"] = act.reason if act.kind in (DECIDE, UNDO) else None
        if act.kind == CLAIM:
            record["claimed_until"] = later(history.now, parse_duration(self.settings.claimed_for), self.project.zone)
        if act.kind == DECIDE:
            answer = self.settings.decisions[act.decision or ""].answer
            record |= {"decision": act.decision, "answer": answer, "looks": history.looks}
            record["proposal"] = self.proposal(row["tier"])
        return record

"""What the page shows of cases, as texts: nothing in here knows HTML, and nothing that is hidden leaves it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from nightjar.masking.showing import show, show_key
from nightjar.masking.values import MASK
from nightjar.review.cases import History, Status
from nightjar.review.desk import Desk
from nightjar.review.queue import DUE, WORTH, Queue
from nightjar.review.showing import show_instant, show_score, show_span
from nightjar.review.similar import PastCase
from nightjar.tables.reviews import CLAIM, DECIDE, RELEASE, UNDO, Action

STATES = {
    Status.OPEN: "Open",
    Status.MINE: "Yours",
    Status.CLAIMED: "Claimed",
    Status.WAITING: "Second look",
    Status.DECIDED: "Decided",
}
DONE = {CLAIM: "claimed it", RELEASE: "gave it back", UNDO: "took the decision back"}


@dataclass(frozen=True)
class Line:
    """A case in the list.

    Attributes:
        id: its prediction id.
        title: what it is about.
        tier, score, night: as texts.
        why: why it is a case: the first reason of its score, or why the model abstains; empty: neither is stored.
        due: how long until it is due, or overdue.
        is_late: whether it is overdue.
        status: how it looks to the person.
        state: the same in words, with who has it.
    """

    id: str
    title: str
    tier: str
    score: str
    night: str
    why: str
    due: str
    is_late: bool
    status: str
    state: str


@dataclass(frozen=True)
class Reason:
    """What raised or lowered a score.

    Attributes:
        text: in words; without any, the feature.
        beside: its value and the usual range, where the text does not say them.
        added: how much, without its sign.
        share: of the greatest of them, in percent.
        raises: whether it made the score higher.
    """

    text: str
    beside: str
    added: str
    share: int
    raises: bool


@dataclass(frozen=True)
class Step:
    """Something that was done with a case."""

    at: str
    who: str
    what: str
    reason: str


@dataclass(frozen=True)
class Past:
    """A past case: what it was about, when, its score, tier and outcome, what people decided, and where it differs."""

    title: str
    night: str
    score: str
    tier: str
    outcome: str
    is_true: bool | None
    decision: str
    differing: Sequence[str]


def line_of(desk: Desk, queue: Queue, row: Mapping[str, Any], history: History, reviewer: str) -> Line:
    """A case in the list of a person."""
    status, now = history.status(reviewer), history.now
    decided = status is Status.DECIDED
    is_late = not decided and row[DUE] < now
    span = show_span(abs(row[DUE] - now))
    due = "" if decided else f"{span} overdue" if is_late else f"in {span}"
    return Line(
        row["prediction_id"],
        title_of(queue, row),
        row["tier"] or "–",
        show_score(row["score"]),
        row["run_date"].isoformat(),
        _why(desk, row),
        due,
        is_late,
        status.word,
        _state(history, status),
    )


def title_of(queue: Queue, row: Mapping[str, Any]) -> str:
    """What a case is about: its key."""
    return ", ".join(f"{name} {queue.masking.value(name, show_key(row[name]))}" for name in queue.key)


def _state(history: History, status: Status) -> str:
    final, claim = history.final, history.claim
    if final is not None:
        return f"{final.decision} · {final.reviewer}"
    if status is Status.CLAIMED and claim is not None:
        return f"{claim.reviewer} until {claim.claimed_until:%H:%M} UTC"
    return STATES[status]


def _why(desk: Desk, row: Mapping[str, Any]) -> str:
    if row["abstained"]:
        return f"The model abstains: {row['abstained']}"
    reasons = reasons_of(desk, row)
    return reasons[0].text if reasons else ""


def reasons_of(desk: Desk, row: Mapping[str, Any]) -> list[Reason]:
    """The reasons of a score, as they are stored; of those from before a column was sensitive only its name."""
    stored: Sequence[Mapping[str, Any]] = row["reasons"] or ()
    greatest = max((abs(one["contribution"]) for one in stored), default=0.0) or 1.0
    return [
        Reason(
            one["text"] if one["text"] and not _is_exposed(desk, one) else one["feature"],
            _beside(one) if not desk.masking.hides(one["feature"]) else f"{one['feature']} is {MASK}",
            f"{abs(one['contribution']):.3f}",
            round(100 * abs(one["contribution"]) / greatest),
            one["contribution"] > 0,
        )
        for one in stored
    ]


def _is_exposed(desk: Desk, reason: Mapping[str, Any]) -> bool:
    """Whether a reason was stored with a value that nobody may see any more."""
    return desk.masking.hides(reason["feature"]) and reason["value"] != MASK


def _beside(reason: Mapping[str, Any]) -> str:
    """Value and usual range, where the text does not say them."""
    value = "missing" if reason["value"] is None else reason["value"]
    if f": {value}" in (reason["text"] or ""):
        return ""
    usual = f", usually {reason['usual']}" if reason["usual"] else ""
    return f"{reason['feature']} is {value}{usual}"


def columns_of(desk: Desk, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The columns that a reviewer is shown, with their values."""
    return [(name, desk.masking.value(name, show(values[name]))) for name in desk.settings.shown if name in values]


def steps_of(actions: Iterable[Action], zone: str) -> list[Step]:
    """What was done with a case, the last first."""
    return [
        Step(show_instant(one.recorded_at, zone), one.reviewer, _what(one), one.reason or "")
        for one in sorted(actions, key=lambda one: -one.number)
    ]


def _what(action: Action) -> str:
    if action.kind != DECIDE:
        return DONE[action.kind]
    against = f", against the proposal {action.proposal}" if action.overrides else ""
    return f"decided {action.decision}{against}"


def past_of(desk: Desk, queue: Queue, case: Mapping[str, Any], past: Iterable[PastCase], now: datetime) -> list[Past]:
    """Similar past cases with what came of them."""
    shown, stored = [], desk.ledger.read()
    for one in past:
        row, name = one.row, one.row["prediction_id"]
        final = desk.history(name, now, stored).final if name else None
        outcome = _outcome(desk, row["label"])
        differing = [
            f"{column} {show(row[column])}, here {show(case.get(column))}"
            for column in one.differing
            if not desk.masking.hides(column)
        ]
        shown.append(
            Past(
                title_of(queue, row),
                row["run_date"].isoformat(),
                show_score(row["score"]),
                row["tier"] or "–",
                outcome,
                row["label"] if isinstance(row["label"], bool) else None,
                "" if final is None else f"{final.decision} · {final.reviewer}",
                differing[:2],
            )
        )
    return shown


def _outcome(desk: Desk, label: Any) -> str:
    classes = desk.project.label.classes
    return classes.get(label, show(label)) if classes else show(label)


def worth_of(desk: Desk, row: Mapping[str, Any]) -> str:
    """What orders a case among those of its tier, in words; empty: its score."""
    column, worth = desk.settings.worth, row[WORTH]
    is_hidden = column is None or desk.masking.hides(column)
    return "" if is_hidden or worth is None else f"score × {column} = {show(worth)}"


def ends_in(history: History) -> timedelta | None:
    """How long a claim still holds; None: there is none."""
    claim = history.claim
    return None if claim is None or claim.claimed_until is None else claim.claimed_until - history.now

"""What becomes of an alert on a night: new, ongoing, flapping, resolved; a pure function of what nights said of it.

People add acknowledged and snoozed, see `nightjar.alerts.acting`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from nightjar.settings.monitoring.alerting import Alerting, Severity

NEW, ONGOING, RESOLVED, FLAPPING = "new", "ongoing", "resolved", "flapping"
ACKNOWLEDGED, SNOOZED = "acknowledged", "snoozed"
OPEN = (NEW, ONGOING, FLAPPING, ACKNOWLEDGED, SNOOZED)
FLAPPING_NIGHTS = timedelta(days=28)
"""Within which firings of one thing are counted."""
QUIET = 7
"""Nights, beside those that clear any alert, for which what was flapping has to be quiet."""


@dataclass(frozen=True)
class Look:
    """What a night says of one thing.

    Attributes:
        night: its run date.
        severity: how bad it is; None: it is well.
        is_certain: False: nobody can say, so that the night neither raises nor clears anything.
    """

    night: date
    severity: Severity | None = None
    is_certain: bool = True


@dataclass(frozen=True)
class Change:
    """One state change of the alert about a thing.

    Attributes:
        night: on which it changed.
        state: into which.
        severity: since then.
        first_seen: the first night of which it was so; it names the alert.
        until: of `snoozed`: the night from which on there is word of it again.
    """

    night: date
    state: str
    severity: Severity
    first_seen: date
    until: date | None = None


def advance(
    looks: Sequence[Look], past: Sequence[Change], settings: Alerting, *, at_once: bool = False
) -> Change | None:
    """What changes on the last of the nights; None: nothing.

    Args:
        looks: what nights said of one thing, in order, the night itself last; at least as many as settings count.
        past: what has changed about it on nights before, in order.
        settings: how many nights it takes.
        at_once: whether one night of WATCH is enough, as chance alone does not show such a thing.

    Example:
        >>> nights = [date(2024, 4, day) for day in (1, 2, 3)]
        >>> bad = [Look(night, Severity.WARNING) for night in nights]
        >>> change = advance(bad, [], Alerting(watch_nights=3))
        >>> change.state, str(change.first_seen)
        ('new', '2024-04-01')
        >>> advance(bad[:2], [], Alerting(watch_nights=3)) is None
        True
    """
    last = past[-1] if past else None
    if last is None or last.state == RESOLVED:
        return _raised(looks, past, settings, at_once=at_once)
    return _followed(looks, last, settings)


def _raised(looks: Sequence[Look], past: Sequence[Change], settings: Alerting, *, at_once: bool) -> Change | None:
    """The alert that is raised on the night, if any."""
    tonight = looks[-1]
    severity = _severity(looks, settings, at_once=at_once)
    if severity is None:
        return None
    cools = bool(past) and tonight.night - past[-1].night <= timedelta(days=settings.cooldown)
    if cools and not _is_worse(severity, past[-1].severity):
        return None
    fired = sum(one.state == NEW and tonight.night - one.night < FLAPPING_NIGHTS for one in past)
    state = FLAPPING if fired + 1 >= settings.flapping else NEW
    return Change(tonight.night, state, severity, [*_streak(looks, is_bad=True)][-1].night)


def _severity(looks: Sequence[Look], settings: Alerting, *, at_once: bool) -> Severity | None:
    """How bad it is, where it has been so for nights enough."""
    tonight = looks[-1]
    if not tonight.is_certain or tonight.severity is None:
        return None
    if tonight.severity is Severity.CRITICAL and _critical_nights(looks) >= settings.act_nights:
        return Severity.CRITICAL
    needed = settings.act_nights if at_once else settings.watch_nights
    return Severity.WARNING if len([*_streak(looks, is_bad=True)]) >= needed else None


def _followed(looks: Sequence[Look], last: Change, settings: Alerting) -> Change | None:
    """What becomes of an open alert."""
    tonight = looks[-1]
    quiet = settings.clear_nights + (QUIET if last.state == FLAPPING else 0)
    if len([*_streak(looks, is_bad=False)]) >= quiet:
        return Change(tonight.night, RESOLVED, last.severity, last.first_seen)
    if not tonight.is_certain or tonight.severity is None:
        return None
    if last.state == FLAPPING:
        return None
    is_critical = Severity.CRITICAL in (tonight.severity, last.severity)
    severity = Severity.CRITICAL if is_critical else Severity.WARNING
    is_awake = last.state == SNOOZED and last.until is not None and tonight.night >= last.until
    if last.state == NEW or is_awake or _is_worse(severity, last.severity):
        return Change(tonight.night, ONGOING, severity, last.first_seen)
    return None


def _streak(looks: Sequence[Look], *, is_bad: bool) -> Iterator[Look]:
    """The last nights in a row that were bad, or well, latest first; nights of which nobody can say are no break."""
    for look in reversed(looks):
        if not look.is_certain:
            continue
        if (look.severity is not None) != is_bad:
            return
        yield look


def _critical_nights(looks: Sequence[Look]) -> int:
    """How many nights in a row, the last among them, were critical."""
    count = 0
    for look in _streak(looks, is_bad=True):
        if look.severity is not Severity.CRITICAL:
            break
        count += 1
    return count


def _is_worse(severity: Severity, than: Severity) -> bool:
    return severity is Severity.CRITICAL and than is Severity.WARNING


def is_word(change: Change, before: Change | None) -> bool:
    """Whether word of a change is sent: of what is new, flaps, is worse or awake again, was acknowledged, or is over.

    That it goes on as it was is none, nor that it is snoozed.
    """
    if before is not None and _is_worse(change.severity, before.severity):
        return True
    if change.state == SNOOZED or (before is not None and change.state == before.state):
        return False
    if change.state == ONGOING:
        return before is None or before.state == SNOOZED
    return True

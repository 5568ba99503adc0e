"""The signals of a night: what was looked at, what is amiss, since when, and what has passed since the night before."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables
from nightjar.report.states import OK, place

MOST_SIGNALS = 200
"""That a page shows; the others are in its JSON."""
_BACK = timedelta(days=14)
"""How far back the night before is looked for: a spine may have rows once a week."""
_COLUMNS = ("kind", "subject", "state", "sentence", "command", "since", "evidence", "run_date")


@dataclass(frozen=True)
class ShownSignal:
    """What one look at the night says; see the table `signals`.

    Attributes:
        nights: days from the first night of which the same was so to the reported one, both counted; None: not
            followed.
    """

    kind: str
    subject: str
    state: str
    sentence: str
    command: str | None
    since: date | None
    nights: int | None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_amiss(self) -> bool:
        """Whether somebody should see it."""
        return self.state != OK

    @property
    def is_new(self) -> bool:
        """Whether it is so since this night."""
        return self.nights == 1


@dataclass(frozen=True)
class Signals:
    """All signals of a night, the worst first.

    Attributes:
        passed: what was amiss on the night before and is not any more, as it was said then.
        before: the night before; None: none is stored.
    """

    all: tuple[ShownSignal, ...]
    passed: tuple[ShownSignal, ...]
    before: date | None

    @property
    def amiss(self) -> list[ShownSignal]:
        """Those that somebody should see."""
        return [one for one in self.all if one.is_amiss]

    @property
    def quiet(self) -> list[ShownSignal]:
        """The others."""
        return [one for one in self.all if not one.is_amiss]


def read_signals(tables: PinnedTables) -> Signals | None:
    """The signals of the night; None where none are stored."""
    since = tables.run_date - _BACK
    where = (pc.field("run_date") <= tables.run_date) & (pc.field("run_date") >= since)
    nights: dict[date, list[ShownSignal]] = {}
    for row in tables.rows("signals", _COLUMNS, where, apart="subject"):
        nights.setdefault(row["run_date"], []).append(_shown(row))
    own = nights.pop(tables.run_date, None)
    if own is None:
        return None
    before = max(nights, default=None)
    return Signals(_ordered(own), _passed(own, nights[before]) if before else (), before)


def _passed(own: Sequence[ShownSignal], before: Sequence[ShownSignal]) -> tuple[ShownSignal, ...]:
    """What was amiss before; a signal that is not given any more has passed, too."""
    amiss = {(one.kind, one.subject) for one in own if one.is_amiss}
    return _ordered([one for one in before if one.is_amiss and (one.kind, one.subject) not in amiss])


def _ordered(signals: Sequence[ShownSignal]) -> tuple[ShownSignal, ...]:
    """The worst first; of these the newest, which nobody has seen yet."""
    return tuple(sorted(signals, key=lambda one: (place(one.state), one.nights or 0, one.kind, one.subject)))


def _shown(row: Mapping[str, Any]) -> ShownSignal:
    since, night = row["since"], row["run_date"]
    nights = None if since is None else (night - since).days + 1
    kind, subject, state, sentence = (str(row[name] or "") for name in _COLUMNS[:4])
    return ShownSignal(kind, subject, state, sentence, row["command"], since, nights, parsed(row["evidence"]))


def parsed(evidence: str | None) -> Mapping[str, Any]:
    """Evidence that is stored as JSON; empty where it is none."""
    try:
        stored = json.loads(evidence or "{}")
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}

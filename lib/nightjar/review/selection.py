"""Which cases of the queue a person wants to see, and in which order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from nightjar.review.cases import Status, history_of
from nightjar.review.ledger import Stored
from nightjar.review.queue import Queue
from nightjar.settings.choices import Choice
from nightjar.settings.review import View
from nightjar.settings.serving.reviewing import Reviewing

Places = npt.NDArray[np.intp]


class Order(Choice):
    """How cases follow each other: the most urgent, that due first, of the highest score, of the newest night."""

    PRIORITY = "priority"
    DUE = "due"
    SCORE = "score"
    NIGHT = "night"


@dataclass(frozen=True)
class Selection:
    """What a person wants to see.

    Attributes:
        view: cases of which status.
        tier: of which tier; empty: any.
        text: what their key or id contains, in any case; empty: anything.
        order: how they follow each other.
    """

    view: View = View.TODO
    tier: str = ""
    text: str = ""
    order: Order = Order.PRIORITY


@dataclass(frozen=True, eq=False)
class Selected:
    """The cases of a selection.

    Attributes:
        places: their places in the queue, in order.
        statuses: of all cases of the queue, whatever is selected.
        counts: how many cases of the queue are of each status, and `overdue`.
    """

    places: Places
    statuses: list[Status]
    counts: Mapping[str, int]


def select(
    queue: Queue,
    stored: Stored,
    settings: Reviewing,
    reviewer: str,
    selection: Selection,
    now: datetime,
) -> Selected:
    """The cases that a person wants to see.

    Args:
        queue: all cases.
        stored: what was done with them.
        settings: of reviewing.
        reviewer: who looks.
        selection: what the person wants.
        now: claims end, and cases become overdue.
    """
    statuses = [Status.OPEN] * len(queue.ids)
    for name in queue.places.keys() & stored.by_case.keys():
        is_final = name in stored.decided
        status = Status.DECIDED if is_final else history_of(name, stored.actions(name), settings, now).status(reviewer)
        statuses[queue.places[name]] = status
    is_decided = np.array([status is Status.DECIDED for status in statuses], np.bool_)
    is_late = ~is_decided & (queue.due < int(now.timestamp() * 1_000_000))
    counts = {status.word: count for status, count in Counter(statuses).items()}
    counts = {**{status.word: 0 for status in Status}, **counts, View.OVERDUE.word: int(is_late.sum())}
    fits = _of_status(statuses, is_late, selection.view)
    if selection.tier:
        tiers = np.array(queue.rows["tier"].to_pylist(), dtype=object)
        fits &= tiers == selection.tier
    if selection.text:
        text = selection.text.casefold()
        fits &= np.array([text in one for one in queue.texts], np.bool_)
    places = np.flatnonzero(fits)
    return Selected(places[_order(queue, places, selection.order)], statuses, counts)


def _of_status(statuses: list[Status], is_late: npt.NDArray[np.bool_], view: View) -> npt.NDArray[np.bool_]:
    if view is View.ALL:
        return np.ones(len(statuses), np.bool_)
    if view is View.OVERDUE:
        return is_late.copy()
    words = ("open", "mine") if view is View.TODO else (view.word,)
    fitting = {status for status in Status if status.word in words}
    return np.array([status in fitting for status in statuses], np.bool_)


def _order(queue: Queue, places: Places, order: Order) -> Places:
    """The order of some places of the queue, which are by priority; what is equal stays by priority."""
    if order is Order.DUE:
        return np.argsort(queue.due[places], kind="stable")
    if order is Order.SCORE:
        scores = queue.rows["score"].to_numpy()[places]
        return np.argsort(-scores, kind="stable")
    if order is Order.NIGHT:
        nights = queue.rows["run_date"].to_numpy().astype("datetime64[D]").astype(np.int64)[places]
        return np.argsort(-nights, kind="stable")
    return np.arange(len(places))

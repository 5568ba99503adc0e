"""What people decided about predictions, as the night's page says it."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables

SUBJECT, REVIEWER = "review", "reviewer "
OF_WINDOW = {
    "cases": "Cases",
    "decided_share": "decided, of the cases",
    "decided_in_time": "in time, of the decided ones",
    "override_rate": "override a proposal, of the decisions about one",
    "agreement": "alike, of the cases that two people decided",
    "kappa": "Fleiss' kappa of these",
}
"""Measure -> what it is, in the order in which they are shown."""


@dataclass(frozen=True)
class Measured:
    """A measure, what it is over, and why it has no value."""

    value: float | None
    rows: int | None
    reason: str | None


@dataclass(frozen=True)
class Reviews:
    """What people decided, as of the night.

    Attributes:
        window: what the figures are about, such as `last 28 nights`.
        figures: measure -> its value.
        reviewers: who decided -> the number of decisions, and the share that overrides a proposal.
    """

    window: str
    figures: Mapping[str, Measured]
    reviewers: Mapping[str, Mapping[str, Measured]]


def read_reviews(tables: PinnedTables) -> Reviews | None:
    """The figures of the night; None where nobody reviews."""
    columns = ["slice", "measure", "value", "rows", "reason"]
    where = tables.of_night() & (pc.field("subject") == SUBJECT)
    slices: dict[str, dict[str, Measured]] = {}
    for row in tables.rows("performance", columns, where):
        if row["slice"] != "all":  # the nights by themselves are too few rows for a page
            measured = Measured(row["value"], row["rows"], row["reason"])
            slices.setdefault(row["slice"], {})[row["measure"]] = measured
    windows = [name for name in slices if not name.startswith(REVIEWER)]
    if not windows:
        return None
    reviewers = {name.removeprefix(REVIEWER): one for name, one in slices.items() if name.startswith(REVIEWER)}
    return Reviews(windows[0], slices[windows[0]], dict(sorted(reviewers.items())))

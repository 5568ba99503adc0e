"""Drift over other spans than the night beside its training: of windows of nights, and from the first version on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyarrow.compute as pc

from nightjar.report.reading import PinnedTables, nan_to_none

ANCHOR = "anchor"
"""The reference of distances from what the first version on the same bins was trained on."""


@dataclass(frozen=True)
class Spans:
    """Distances of one date over other spans.

    Attributes:
        names: of the spans, those of windows by their length, such as `7 nights`, and `ANCHOR` last.
        values: subject -> span -> measure -> value; null where it is undefined.
        reasons: span -> why it is shorter than its name says.
    """

    names: tuple[str, ...]
    values: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    reasons: Mapping[str, str]


def read_spans(tables: PinnedTables, day: date) -> Spans:
    """What the night's monitoring has measured of a date besides the date itself beside the training data."""
    if not {"window_days", "reference", "reason"} <= set(tables.columns("drift")):  # of an earlier Nightjar
        return Spans((), {}, {})
    where = tables.of_night() & (pc.field("evaluated_date") == day) & (pc.field("slice") == "all")
    of_anchor: pc.Expression = pc.field("reference") == ANCHOR
    where &= of_anchor | pc.field("window_days").is_valid()
    columns = ["subject", "measure", "value", "window_days", "reason"]
    values: dict[str, dict[str, dict[str, float | None]]] = {}
    lengths, reasons = set[int](), dict[str, str]()
    for row in tables.rows("drift", columns, where):
        days = row["window_days"]
        span = ANCHOR if days is None else f"{days} nights"
        lengths |= set() if days is None else {days}
        values.setdefault(row["subject"], {}).setdefault(span, {})[row["measure"]] = nan_to_none(row["value"])
        if row["reason"]:
            reasons[span] = row["reason"]
    spans = {span for of_subject in values.values() for span in of_subject}
    ordered = [f"{days} nights" for days in sorted(lengths)] + [ANCHOR]
    return Spans(tuple(name for name in ordered if name in spans), values, reasons)

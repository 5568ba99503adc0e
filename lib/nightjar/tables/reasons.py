"""Reasons as the table `scores` holds them."""

import pyarrow as pa

from nightjar.tables.table import Column

REASONS = "reasons"
REASONS_TYPE = pa.list_(
    pa.struct(
        [
            pa.field("feature", pa.string()),
            pa.field("value", pa.string()),
            pa.field("contribution", pa.float64()),
            pa.field("usual", pa.string()),
            pa.field("text", pa.string()),
        ]
    )
)
REASONS_COLUMN = Column(
    REASONS,
    REASONS_TYPE,
    "what adds most to the raw score (before calibration), the most important first: feature, its value in words, the "
    "contribution, where training rows usually lie (null: not known, or masked), and a text for people, of a decision "
    "against somebody the declared wording; empty: no feature does; null: the row needs no reasons",
)

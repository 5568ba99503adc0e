"""Checks of the feature table before anything is learned from it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from nightjar.errors import LearningError


def require_columns(stored: Sequence[str], names: Sequence[str]) -> None:
    """Raise LearningError unless the columns that group rows are there."""
    missing = [name for name in names if name not in stored]
    if missing:
        raise LearningError(
            f"Rows are to be grouped by {', '.join(missing)}, which table features does not have. It has "
            f"{', '.join(stored)}. Name one of these, or add the column to the spine (project.spine.keep)."
        )


def single_definition(features: pa.Table) -> str:
    """The hash of the feature definitions, the same for all rows; LearningError where there are several."""
    values: list[Any] = features["definitions_hash"].to_pylist()
    distinct: list[str] = sorted(set(values))
    if len(distinct) > 1:
        raise LearningError(
            f"Table features mixes rows of {len(distinct)} definitions ({', '.join(one[:8] for one in distinct)}): "
            "the same column does not mean the same in all of them. Build all dates again: jobs/build_features.py "
            "since=..."
        )
    return distinct[0] if distinct else ""


def refuse_infinite(stored: pa.Table, names: Sequence[str]) -> None:
    """Raise LearningError for a feature with an infinite value, naming the place."""
    for name in names:
        if not pa.types.is_floating(stored.schema.field(name).type):
            continue
        infinite: Any = pc.is_inf(stored[name])
        if pc.any(infinite).as_py():
            rows = stored.filter(infinite)
            raise LearningError(
                f"Column {name} of table features holds an infinite value in {len(rows):,} of {len(stored):,} rows, "
                f"first on {pc.min(rows['run_date']).as_py()}. Make it finite or null where it is made, with "
                "try_divide for instance, or leave the feature out."
            )


def refuse_empty(features: pa.Table) -> None:
    """Raise LearningError where no feature has a value."""
    names = features.column_names
    if all(features[name].null_count == len(features) for name in names):
        raise LearningError(
            f"No feature has a value in any of the {len(features):,} labelled rows: {', '.join(names)}."
        )

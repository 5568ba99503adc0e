"""Parts of the rows that are watched apart: those of one value of a column, or of one combination of several."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.settings.project import Project
from nightjar.tables import groups

MOST = 20
"""Parts by one way to tell rows apart: the most frequent values; the others are one part."""
OTHERS = "(others)"


def watched_parts(project: Project) -> list[tuple[str, ...]]:
    """The columns that tell apart the parts of a project's nights, one tuple for each way."""
    return list(dict.fromkeys([*((name,) for name in project.monitoring.slices), *project.judged_groups()]))


def parts_of(rows: pa.Table, by: Sequence[tuple[str, ...]]) -> dict[str, npt.NDArray[np.bool_]]:
    """Name of a part -> whether each row is of it, for each way to tell rows apart.

    A part is called `column=value`, of several columns with commas between; a missing value is null. Which values are
    frequent enough to have a part of their own depends on these rows; of equally frequent ones the first by name has.

    Example:
        >>> rows = pa.table({"origin": ["JFK", "LGA", "JFK", None]})
        >>> {name: member.tolist() for name, member in parts_of(rows, [("origin",)]).items()}
        {'origin=JFK': [True, False, True, False], 'origin=LGA': [False, True, False, False], \
'origin=null': [False, False, False, True]}
    """
    return {name: member for columns in by for name, member in sorted(_parts(rows, columns).items())}


def _parts(rows: pa.Table, columns: tuple[str, ...]) -> dict[str, npt.NDArray[np.bool_]]:
    code = groups.codes(rows, columns)
    numbers, first, sizes = np.unique(code, return_index=True, return_counts=True)
    values = zip(*(rows[name].take(first).to_pylist() for name in columns), strict=True)
    names = [", ".join(f"{name}={_text(value)}" for name, value in zip(columns, own, strict=True)) for own in values]
    ranked = sorted(range(len(names)), key=lambda place: (-sizes[place], names[place]))
    own = ranked if len(ranked) <= MOST else ranked[: MOST - 1]
    parts = {names[place]: code == numbers[place] for place in own}
    if len(own) < len(ranked):
        rest = ", ".join(f"{name}={OTHERS}" for name in columns)
        parts[rest] = np.isin(code, numbers[ranked[MOST - 1 :]])
    return parts


def _text(value: object) -> str:
    return "null" if value is None else str(value)

"""How the winner treats the declared groups of rows, and their intersections, on the final period.

The comparisons hold together: with m of them each has the confidence 1 - (1 - c) / m (Bonferroni's inequality), so that
of many groups that are treated alike none seems to be treated otherwise, but for a share 1 - c of periods.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from nightjar.errors import LearningError
from nightjar.evaluation.binary import Booleans
from nightjar.evaluation.fairness import Decision
from nightjar.evaluation.fairness_criteria import COMPARED, group_figures
from nightjar.evaluation.intervals import LEVEL
from nightjar.evaluation.rows import RowNumbers
from nightjar.tables import groups

MOST_GROUPS = 50
"""Of one column, or of one list of columns: all pairs of them, 1,225, are compared in each rate that a gate limits."""


@dataclass(frozen=True, eq=False)
class Group:
    """The rows of one value of a column, or of one combination of values.

    Attributes:
        columns: by which it is told apart.
        values: its own in them, as texts; null is one, too.
        member: whether each row is of it.
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    member: Booleans


def require_few_groups(rows: pa.Table | None, by: Sequence[tuple[str, ...]]) -> None:
    """Refuse to compare very many groups.

    Raises:
        LearningError: names their columns.
    """
    for columns in by:
        number = 0 if rows is None else int(groups.codes(rows, columns).max(initial=-1)) + 1
        if number > MOST_GROUPS:
            raise LearningError(
                f"fairness.groups and promotion.fairness.columns: {' and '.join(columns)} have {number:,} values in "
                f"the rows of the training, at most {MOST_GROUPS} are expected. Name columns of broader groups. "
                "Nothing was written."
            )


def groups_of(rows: pa.Table, by: Sequence[tuple[str, ...]]) -> list[Group]:
    """The groups of rows, for each way to tell them apart."""
    return [group for columns in by for group in _groups(rows, columns)]


def fairness_figures(
    decisions: Sequence[Decision], declared: Sequence[Group], judged: RowNumbers, least_rows: int
) -> list[dict[str, Any]]:
    """Each criterion for each group, as the evidence holds it; of several classes for each against the rest.

    Args:
        decisions: about the judged rows.
        declared: the groups of all rows: those that the judged rows lack are told, too.
        judged: the numbers of the judged rows among all.
        least_rows: a rate of fewer rows, and a comparison with it, has no bounds.
    """
    members = [group.member[judged] for group in declared]
    compared = COMPARED * len(decisions) * _comparisons(declared, members, least_rows)
    confidence = 1 - (1 - LEVEL) / max(1, compared)
    return [
        {
            "columns": list(group.columns),
            "group": list(group.values),
            **one.named(),
            "confidence": confidence,
            **asdict(figure),
        }
        for group, member in zip(declared, members, strict=True)
        for one in decisions
        for figure in group_figures(one.truth, one.probability, one.acts, member, confidence, least_rows)
    ]


def _groups(rows: pa.Table, columns: tuple[str, ...]) -> Iterator[Group]:
    code = groups.codes(rows, columns)
    numbers, first = np.unique(code, return_index=True)
    values = zip(*(rows[name].take(first).to_pylist() for name in columns), strict=True)
    for number, own in zip(numbers, values, strict=True):
        yield Group(columns, tuple("null" if value is None else str(value) for value in own), code == number)


def _comparisons(declared: Sequence[Group], members: Sequence[Booleans], least_rows: int) -> int:
    """How many groups are compared with their rest; of two that are each other's rest it is one."""
    sizes: dict[tuple[str, ...], list[int]] = {}
    for group, member in zip(declared, members, strict=True):
        sizes.setdefault(group.columns, []).append(int(member.sum()))
    present = [[size for size in of_columns if size] for of_columns in sizes.values()]
    compared = [sum(size >= least_rows for size in of_columns) for of_columns in present]
    return sum(min(number, 1) if len(one) == 2 else number for number, one in zip(compared, present, strict=True))

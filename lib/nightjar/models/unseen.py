"""Levels of native categories that training has not seen, and which therefore count as missing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from nightjar.models.columns import to_frame
from nightjar.models.predictor import Predictor
from nightjar.models.preprocessing.level_codes import native_steps

Mask = npt.NDArray[np.bool_]


def unseen_by_column(predictor: Predictor, table: pa.Table) -> dict[str, Mask]:
    """Native category -> whether each row has a level that a model, or one of its members, has not seen in training."""
    unseen = dict[str, Mask]()
    for part in (predictor, *predictor.members):
        for step, names in native_steps(part.preparation):
            columns = [column for column in part.features if column.name in names]
            frame = to_frame(table, columns)[names]
            masks = step[-1].unseen(step[:-1].transform(frame)) & frame.notna().to_numpy()
            for place, name in enumerate(names):
                unseen[name] = masks[:, place] | unseen.get(name, False)
    return unseen


def unseen_texts(predictor: Predictor, table: pa.Table) -> "pa.Array[Any]":
    """Of each row the columns with such a level, as in `a, b`; null where there is none."""
    unseen = unseen_by_column(predictor, table)
    if not unseen:
        return pa.nulls(table.num_rows, pa.string())
    texts: list[str | None] = [None] * table.num_rows
    for row in np.flatnonzero(np.any([*unseen.values()], axis=0)):
        texts[row] = ", ".join(sorted(name for name, mask in unseen.items() if mask[row]))
    return pa.array(texts, pa.string())


def reads_native_categories(structure: Mapping[str, Any]) -> bool:
    """Whether a stored model, or one of its members, parts sets of levels; others never mark a score."""
    return bool(structure["estimator"].get("levels")) or any(map(reads_native_categories, structure["members"]))

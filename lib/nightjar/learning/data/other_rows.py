"""Rows that no fit takes as they are: those without a label, and those that somebody has acted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nightjar.evaluation.rows import Floats
from nightjar.learning.data import targets
from nightjar.learning.data.instants import Days, Instants
from nightjar.settings.spine import WEIGHT
from nightjar.tables import labels


@dataclass(frozen=True, eq=False)
class UnlabelledRows:
    """Rows without a label, and their prediction times (UTC)."""

    table: pa.Table
    time: Instants


@dataclass(frozen=True, eq=False)
class ActedRows:
    """Rows that somebody has acted on. No fit learns from them; scored, they are what a capacity is spent on.

    Attributes:
        table: their features, and the columns by which figures are told apart.
        day: local date of each one's prediction time.
        weight: how many rows each one stands for.
    """

    table: pa.Table
    day: Days
    weight: Floats


def acted_rows(
    feature_rows: pa.Table, latest_labels: pa.Table, key: Sequence[str], names: Sequence[str]
) -> ActedRows | None:
    """The rows whose latest label says that somebody has acted on them; None where there are none.

    Args:
        feature_rows: with the key, `run_date`, the features and, of a sample, the weight.
        latest_labels: of each row the latest label, see `labels.as_of`.
        key: the columns that name a row.
        names: of the columns that are read of them.

    Raises:
        LearningError: a weight is not above 0, or not finite.
    """
    acted_on = latest_labels.filter(labels.is_acted_on(latest_labels))
    if not len(acted_on):
        return None
    rows = feature_rows.join(acted_on.select(list(key)), list(key), join_type="inner")
    weight = targets.weights(rows, list(key)) if WEIGHT in rows.column_names else np.ones(len(rows))
    return ActedRows(rows.select(list(names)), rows["run_date"].to_numpy().astype("datetime64[D]"), weight)


def without_label(feature_rows: pa.Table, latest_labels: pa.Table, key: Sequence[str]) -> pa.Table:
    """The rows without an outcome; not those that somebody has acted on, from which no fit may learn.

    Args:
        feature_rows: with the key.
        latest_labels: see `acted_rows`.
        key: the columns that name a row.
    """
    others = latest_labels.filter(pc.or_(labels.is_usable(latest_labels), labels.is_acted_on(latest_labels)))
    return feature_rows.join(others, list(key), join_type="left anti")

"""When a row's horizon has passed and when its label is final."""

from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.features.shifting import shifted
from nightjar.settings.project import Project
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse
from nightjar.timeline import cutoff, instant, local_date

UNTIL, FINAL = "_until", "_final"
"""The columns with the instants at which a row's horizon has passed and its label is final."""


def open_since(project: Project, since: date) -> datetime:
    """An instant before which no prediction time has a label that is not final before the cutoff of `since`."""
    reach = project.label.horizon_length().at_most() + project.label.lateness().at_most()
    return cutoff(since, project.zone) - reach


def with_horizon(rows: DataFrame, project: Project, since: date, until: date) -> DataFrame:
    """What names a row and its outcome, and what rules look at, with `_until`, when the row's horizon has passed, and
    `_final`, when its label is final.

    Args:
        rows: of the spine, of the dates `since` to `until`.
        project: says what is asked.
        since: the first date.
        until: the last one.
    """
    label = project.label
    looked_at = project.spine.columns() if label.rules else []
    needed = dict.fromkeys([*project.spine.key, *label.keys, "prediction_time", *looked_at])
    first, end = cutoff(since, project.zone), cutoff(until + timedelta(days=1), project.zone)
    last = end + label.horizon_length().at_most()
    passed = shifted(F.col("prediction_time"), label.horizon_length(), project.zone, first, end)
    final = shifted(F.col(UNTIL), label.lateness(), project.zone, first, last)
    return rows.select(*needed).withColumn(UNTIL, passed).withColumn(FINAL, final)


def is_open(project: Project, since: date) -> Column:
    """Whether the label of a row with its horizon is not final before the cutoff of `since`."""
    return F.col(FINAL) >= F.lit(cutoff(since, project.zone))


def stored_since(warehouse: Warehouse, project: Project, run_date: date) -> date | None:
    """From which date on a run of `run_date` has labels stored that were not final before; None where it has none.

    A rerun replaces them, so it asks for as many, whichever range the run before was of.
    """
    if not arrow.exists(warehouse, "labels"):
        return None
    stored = arrow.read(warehouse, "labels", ["prediction_time"], pc.field("run_date") == run_date)["prediction_time"]
    if not len(stored):
        return None
    predicted: Any = stored.cast(pa.int64())
    final_at = project.label.final_at(predicted.to_numpy(), project.zone)
    return local_date(instant(int(final_at.min())), project.zone)

"""When a row's horizon has passed and when its label is final."""

from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.features.shifting import shifted
from nightjar.settings.project import Project
from nightjar.timeline import cutoff

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

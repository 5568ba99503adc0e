"""When a row's horizon has passed and when its label is final."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from nightjar.features.shifting import shifted
from nightjar.settings.project import Project
from nightjar.timeline import cutoff, instant, local_date, moment

UNTIL, FINAL = "_until", "_final"
"""The columns with the instants at which a row's horizon has passed and its label is final."""


def open_since(project: Project, since: date) -> datetime:
    """An instant before which no prediction time has a label that is not final before the cutoff of `since`."""
    reach = project.label.horizon_length().at_most() + project.label.lateness().at_most()
    return cutoff(since, project.zone) - reach


def with_horizon(rows: DataFrame, project: Project, since: date, until: date) -> DataFrame:
    """The columns that name a row and its outcome and those that labelling rules use, with `_until`, the instant at
    which the row's horizon has passed, and `_final`, the instant at which its label is final.

    Args:
        rows: spine rows of the dates `since` to `until`.
        project: has the label.
        since: the first date.
        until: the last date.
    """
    label = project.label
    first, end = cutoff(since, project.zone), cutoff(until + timedelta(days=1), project.zone)
    last = end + label.horizon_length().at_most()
    horizon_end = shifted(F.col("prediction_time"), label.horizon_length(), project.zone, first, end)
    final = shifted(F.col(UNTIL), label.lateness(), project.zone, first, last)
    return rows.select(*project.label_inputs()).withColumn(UNTIL, horizon_end).withColumn(FINAL, final)


def is_open(project: Project, since: date) -> Column:
    """Whether a row's label is not yet final before the cutoff of `since`; the row has its horizon."""
    return F.col(FINAL) >= F.lit(cutoff(since, project.zone))


def final_since(project: Project, predicted: Sequence[datetime]) -> date:
    """The last date before whose midnight none of the labels of rows predicted at these instants is final."""
    final_at = project.label.final_at(np.array([moment(one) for one in predicted]), project.zone)
    return local_date(instant(int(final_at.min())), project.zone)

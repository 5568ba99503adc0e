"""Dates without labelled rows: within the final period, or between it and the night, as after weeks without a run."""

from datetime import date, timedelta

import numpy as np

from nightjar.learning.data.training_set import TrainingSet
from nightjar.learning.splits.folding import Fold
from nightjar.settings.project import Project
from nightjar.timeline import cutoff, later


def describe_missing_dates(rows: TrainingSet, final: Fold, run_date: date, project: Project) -> str | None:
    """A sentence about dates since the final period began without a labelled row, though labels could be known by now.

    None where there are no such dates.

    Days of the week without rows in the spine do not count. Other dates may rightly have none, too: whether the rows
    are missing is not known.
    """
    newest = _newest(final.end, run_date, project)
    dates = np.array(project.spine.due_dates(final.start, newest), "datetime64[D]")
    missing = dates[~np.isin(dates, rows.day)]
    if not len(missing):
        return None
    return (
        f"labels of {final.start} to {newest} can be known by now, but of {len(missing)} of these {len(dates)} "
        f"{project.spine.due_days()} there is no labelled row ({missing[0]} to {missing[-1]}); the final period is "
        f"{final.start} to {final.end}. If they should have rows, run: jobs/build_features.py project={project.name} "
        f"since={missing[0]} run_date={run_date}"
    )


def _newest(least: date, run_date: date, project: Project) -> date:
    """The last date all of whose labels can be known at the run date, `least` at least."""
    zone, day = project.zone, run_date
    while day - timedelta(days=1) > least and later(cutoff(day, zone), project.label.horizon_length(), zone) > cutoff(
        run_date, zone
    ):
        day -= timedelta(days=1)
    return day - timedelta(days=1)

"""Dates without labelled rows: within the final period, or between it and the night, as after weeks without a run."""

from datetime import date, timedelta

import numpy as np

from nightjar.learning.rows import TrainingRows
from nightjar.learning.splits.folding import Fold
from nightjar.settings.project import Project
from nightjar.timeline import cutoff, later


def gap(rows: TrainingRows, final: Fold, run_date: date, project: Project) -> str | None:
    """In words: since the final period began there is no labelled row of some dates, though it could be known by now.

    Days of the week that the spine has no rows of do not count. Of others it need not have some either, and a source
    may have brought none: whether they are missed is not known.
    """
    newest = _newest(final.end, run_date, project)
    dates = np.array(project.spine.due_dates(final.start, newest), "datetime64[D]")
    lacking = dates[~np.isin(dates, rows.day)]
    if not len(lacking):
        return None
    return (
        f"labels of {final.start} to {newest} can be known by now, but of {len(lacking)} of these {len(dates)} "
        f"{project.spine.due_days()} there is no labelled row ({lacking[0]} to {lacking[-1]}); the final period is "
        f"{final.start} to {final.end}. If they should have rows, run: jobs/build_features.py project={project.name} "
        f"since={lacking[0]} run_date={run_date}"
    )


def _newest(least: date, run_date: date, project: Project) -> date:
    """The last date all of whose labels can be known at the run date, `least` at least."""
    zone, day = project.zone, run_date
    while day - timedelta(days=1) > least and later(cutoff(day, zone), project.label.horizon_length(), zone) > cutoff(
        run_date, zone
    ):
        day -= timedelta(days=1)
    return day - timedelta(days=1)

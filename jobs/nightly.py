"""Nightly: every step of a night in order, for one run date or for the project's own dates (project_dates=true)."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.NIGHTLY, __doc__ or "")

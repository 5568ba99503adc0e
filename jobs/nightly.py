"""Nightly: every step of a night in order, for one run date or for the project's own dates (project_dates=true)."""

from pathlib import Path

from nightjar.pipeline.job import main
from nightjar.pipeline.nightly import run
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.NIGHTLY, Path(__file__).resolve().parent.parent / "conf", __doc__ or "", run)

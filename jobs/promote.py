"""Promote: the version trained for the run date becomes champion if it beats the best baseline."""

from pathlib import Path

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.PROMOTE, Path(__file__).resolve().parent.parent / "conf", __doc__ or "")

"""Promote: the version trained for the run date becomes champion if it beats the best baseline."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.PROMOTE, __doc__ or "")

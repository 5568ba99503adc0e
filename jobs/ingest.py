"""Ingest: raw data, as known at the run date's midnight, into validated source tables."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.INGEST, __doc__ or "")

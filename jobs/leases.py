"""Leases: list who works on what alone (action=list), or free what a dead or unreachable run holds (action=free)."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.LEASES, __doc__ or "")

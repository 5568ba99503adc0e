"""Profile: what each column of a source's stored facts looks like over time, as a table and a page; writes no table."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.PROFILE, __doc__ or "")

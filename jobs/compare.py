"""Compare: trainings side by side, on the terminal and as a page; writes no table."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.COMPARE, __doc__ or "")

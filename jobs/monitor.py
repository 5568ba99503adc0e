"""Monitor: drift of the night, performance of earlier nights, and the report."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.MONITOR, __doc__ or "")

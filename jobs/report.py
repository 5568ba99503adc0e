"""Report: write the pages of nights anew, or the index of nights, or serve them on this machine."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.REPORT, __doc__ or "")

"""Monitor: drift of the night, performance of earlier nights, and the report."""

from pathlib import Path

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.MONITOR, Path(__file__).resolve().parent.parent / "conf", __doc__ or "")

"""Build features: the features of a date (or of a range, with since=...), and the labels known by then."""

from pathlib import Path

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.BUILD_FEATURES, Path(__file__).resolve().parent.parent / "conf", __doc__ or "")

"""Build features: the features of a date (or of a range, with since=...), and the labels known by then."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.BUILD_FEATURES, __doc__ or "")

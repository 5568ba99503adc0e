"""Train: search on Ray Tune, judge the winner on unseen days, refit it and register it."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.TRAIN, __doc__ or "")

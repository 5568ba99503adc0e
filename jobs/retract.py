"""Retract: serve no score of a night any more, until it is scored anew; its rows stay in the history."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.RETRACT, __doc__ or "")

"""Maintain: merge small files, remove what no version needs, and check that stored features equal their rebuild."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.MAINTAIN, __doc__ or "")

"""Explain: why a row of a past night has its score, or what a model goes by, as a table and a page; writes no table."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.EXPLAIN, __doc__ or "")

"""Review: list, claim, decide and undo cases, export and import CSV, or serve the page of reviewers."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.REVIEW, __doc__ or "")

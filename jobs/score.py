"""Score: one prediction per row of the run date's features, by the champion that holds then."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.SCORE, __doc__ or "")

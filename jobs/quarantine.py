"""Quarantine: list, show or export refused rows, take corrected ones back (action=correct), or dismiss some."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.QUARANTINE, __doc__ or "")

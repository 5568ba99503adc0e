"""Alerts: list what is open (action=list), acknowledge, snooze or resolve one, or try the sinks (action=test)."""

from nightjar.pipeline.job import main
from nightjar.settings.jobs import JobName

if __name__ == "__main__":
    main(JobName.ALERTS, __doc__ or "")

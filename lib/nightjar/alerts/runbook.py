"""Where it is written what to do about an alert, by its kind."""

_RUNBOOK, _MONITORING = "docs/runbook.md", "docs/monitoring.md"
PLACES = {
    "stopped": f"{_RUNBOOK}#a-step-has-stopped",
    "sink": f"{_RUNBOOK}#word-of-an-alert-does-not-arrive",
    "fallback": f"{_RUNBOOK}#an-alert-says-that-somebody-should-look",
    "no_scores": f"{_RUNBOOK}#an-alert-says-that-somebody-should-look",
    "jobs": f"{_RUNBOOK}#a-night-was-not-run-or-ran-late",
}
"""Kind -> path and anchor in the repository."""
OTHERWISE = f"{_MONITORING}#alerts"
"""Of all other kinds: what alerts are, and what can be done with one."""


def place(kind: str) -> str:
    """The place for a kind of alert.

    Example:
        >>> place("covariate")
        'docs/monitoring.md#alerts'
    """
    return PLACES.get(kind, OTHERWISE)

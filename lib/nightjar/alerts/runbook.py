"""Where it is written what to do about an alert, by its kind."""

_RUNBOOK, _MONITORING = "docs/runbook.md", "docs/monitoring.md"
_OF_FALLBACK = "another-one-than-the-champion-has-scored-a-night"
_OF_CHALLENGER = "a-challenger-was-rolled-back-or-cannot-be-judged"
PLACES = {
    "stopped": f"{_RUNBOOK}#a-night-stopped-or-its-model-was-refused",
    "sink": f"{_RUNBOOK}#word-of-alerts-does-not-arrive",
    "jobs": f"{_RUNBOOK}#a-night-was-not-run-or-ran-late",
    "budget": f"{_RUNBOOK}#a-step-takes-more-than-its-budget",
    **dict.fromkeys(("fallback", "no_scores", "role_failed"), f"{_RUNBOOK}#{_OF_FALLBACK}"),
    **dict.fromkeys(("rollback", "experiment"), f"{_RUNBOOK}#{_OF_CHALLENGER}"),
    "data": f"{_RUNBOOK}#rows-were-refused",
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

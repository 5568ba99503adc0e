"""Whether labels come in as they used to: without them nobody can say how good predictions are."""

from collections.abc import Sequence

import numpy as np

from nightjar.evaluation.followed import ALL
from nightjar.monitoring.history import MATURED, History, Row
from nightjar.monitoring.judged_rows import ROLE
from nightjar.monitoring.night_rows import Judging
from nightjar.monitoring.signals import Kind, Signal, State

LABELS = "labels"
FEWEST = 7
"""Earlier nights of an age from which the usual share of labels is told."""
BEHIND = 0.1
"""A share of labels is behind where it is so far below what is usual at that age."""


def label_signal(rows: Sequence[Row], judging: Judging, history: History) -> Signal:
    """Labels are missing where all nights that are due have none, late where one has fewer than others of its age."""
    judged = {row["evaluated_date"]: row for row in rows if _is_share(row)}
    due = {night: row for night, row in judged.items() if not row["provisional"]}
    evidence = {night.isoformat(): row["value"] for night, row in sorted(judged.items())}
    command = f"python jobs/build_features.py project={judging.project.name} run_date={judging.run_date}"
    if due and not any(row["value"] for row in due.values()):
        sentence = f"No label is known of {len(due)} nights whose labels are due, {min(due)} to {max(due)}."
        return Signal(Kind.PERFORMANCE, LABELS, State.UNKNOWN, sentence, command, min(due), {"shares": evidence})
    late = {}
    for night, row in sorted(judged.items()):
        usual = history.shares.get((judging.run_date - night).days, ())
        if len(usual) >= FEWEST and row["value"] < float(np.median(usual)) - BEHIND:
            late[night] = float(np.median(usual))
    if late:
        first = min(late)
        age = (judging.run_date - first).days
        sentence = (
            f"Labels come in late: {judged[first]['value']:.1%} of {first} are known, where nights of {age} days "
            f"usually have {late[first]:.1%}; {len(late)} of {len(judged)} nights are behind."
        )
        return Signal(Kind.PERFORMANCE, LABELS, State.WATCH, sentence, command, first, {"shares": evidence})
    if not due:
        sentence = "No night is due whose labels would have to be known by now."
        return Signal(Kind.PERFORMANCE, LABELS, State.OK, sentence, evidence={"shares": evidence})
    least = min(row["value"] for row in due.values())
    sentence = f"Labels of {len(due)} nights are due, and {least:.1%} of each or more are known."
    return Signal(Kind.PERFORMANCE, LABELS, State.OK, sentence, evidence={"shares": evidence})


def _is_share(row: Row) -> bool:
    return (row["subject"], row["slice"], row["measure"]) == (ROLE, ALL, MATURED) and row["value"] is not None

"""MLflow's alias of the champion: people look at it there, `model_events` is what decides."""

import logging
from pathlib import Path

from nightjar.registry import events, lookup
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.registry")


def reconcile(home: Path, warehouse: Warehouse) -> None:
    """Let the alias name the last promotion again, and say so where it named another version.

    Raises:
        ModelError: MLflow fails.
    """
    project = warehouse.project
    holds = events.find_champion(warehouse)
    alias = None if holds is None else lookup.find_alias(home, project, events.CHAMPION)
    if holds is None or alias in (None, holds.number):
        return
    log.warning(
        "MLflow named version %s the champion of %s, and model_events says version %s since %s: somebody has moved the "
        "alias, which changes no score, or a job was stopped before it did. It is set to version %s again. To promote "
        "another one: jobs/promote.py action=approve or action=rollback",
        alias,
        project,
        holds.number,
        holds.holds_from,
        holds.number,
    )
    from nightjar.registry import tracking  # noqa: PLC0415  (loading MLflow takes seconds)

    tracking.set_alias(home, project, events.CHAMPION, holds.number)

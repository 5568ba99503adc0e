"""MLflow's aliases of champion and challenger: people look at them there, `model_events` is what decides."""

import logging
from pathlib import Path

from nightjar.registry import database, events, lookup, roles
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.registry")


def reconcile(home: Path, warehouse: Warehouse) -> None:
    """Let the aliases name who holds the roles again, and say so where one named another version.

    Raises:
        ModelError: MLflow fails.
    """
    project, now = warehouse.project, roles.holders(warehouse)
    holds, challenger = now.champion, None if now.challenge is None else now.challenge.version.number
    alias = None if holds is None else lookup.find_alias(home, project, events.CHAMPION)
    if holds is not None and alias not in (None, holds.number):
        log.warning(
            "MLflow named version %s the champion of %s, and model_events says version %s since %s: somebody has moved "
            "the alias, which changes no score, or a job was stopped before it did. It is set to version %s again. To "
            "promote another one: jobs/promote.py action=approve or action=rollback",
            *(alias, project, holds.number, holds.holds_from, holds.number),
        )
        repeat(home, warehouse)
        return
    beside = lookup.find_alias(home, project, roles.CHALLENGER)
    if beside not in (None, challenger):
        log.warning(
            "MLflow named version %s the challenger of %s, and by model_events it is %s: a job was stopped before it "
            "moved the alias, or somebody has moved it, which changes no score. It is set right.",
            *(beside, project, "nobody" if challenger is None else f"version {challenger}"),
        )
        repeat(home, warehouse)


def repeat(home: Path, warehouse: Warehouse) -> None:
    """Let both aliases name those who hold the roles by the last events; that of a role that nobody has names nobody.

    Raises:
        ModelError: MLflow fails.
    """
    from nightjar.registry import tracking  # noqa: PLC0415  (loading MLflow takes seconds)

    now, project = roles.holders(warehouse), warehouse.project
    challenger = None if now.challenge is None else now.challenge.version
    for alias, version in ((events.CHAMPION, now.champion), (roles.CHALLENGER, challenger)):
        if version is not None:
            tracking.set_alias(home, project, alias, version.number)
        elif lookup.find_alias(home, project, alias) is not None:
            with database.model_errors(
                home, f"cannot take the alias {alias} of {project} away", "Is mlflow.db locked?"
            ):
                tracking.connect(home).delete_registered_model_alias(project, alias)

"""The table versions that models in use were trained on, which must stay readable."""

import logging
from collections.abc import Iterator

from nightjar.errors import ModelError, TableError
from nightjar.registry import roles, verified
from nightjar.registry.events import Version
from nightjar.registry.signature import Subject
from nightjar.settings.environment import Environment
from nightjar.tables import commits, scan
from nightjar.tables.warehouse import Warehouse

log = logging.getLogger("nightjar.maintain")


def versions(warehouse: Warehouse, environment: Environment) -> dict[str, set[int]]:
    """Table -> the Delta versions on which the models were trained that have a role, or may serve in the champion's
    stead.

    What others than the champion were trained on may be gone, as from warehouses that were maintained while only the
    champion's was kept: that is logged, and left out.

    Raises:
        ModelError: the champion's artifact cannot be fetched or is not to be trusted.
    """
    versions_by_table: dict[str, set[int]] = {}
    champion = roles.holders(warehouse).champion
    for version in roles.in_use(warehouse):
        is_champion = champion is not None and version.number == champion.number
        cited = _cited(warehouse, environment, version) if is_champion else _readable(warehouse, environment, version)
        for table, at in cited:
            versions_by_table.setdefault(table, set()).add(at)
    return versions_by_table


def _cited(warehouse: Warehouse, environment: Environment, version: Version) -> Iterator[tuple[str, int]]:
    subject = Subject(warehouse.project, version.model_name, version.number)
    yield from verified.manifest(environment, subject).data.items()


def _readable(warehouse: Warehouse, environment: Environment, version: Version) -> Iterator[tuple[str, int]]:
    """The same, without what cannot be read any more."""
    try:
        cited = list(_cited(warehouse, environment, version))
    except ModelError as error:
        log.warning("what version %s was trained on is not kept, as it cannot be told: %s", version.number, error)
        return
    for table, at in cited:
        try:
            commits.committed_at(warehouse, table, at)
            scan.require_files(scan.snapshot(warehouse, table, at))
        except TableError as error:
            log.warning("what version %s was trained on is gone already: %s", version.number, error)
        else:
            yield table, at

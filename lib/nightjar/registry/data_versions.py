"""The table versions that models in use were trained on, which must stay readable."""

from nightjar.registry import events, verified
from nightjar.registry.signature import Subject
from nightjar.settings.environment import Environment
from nightjar.tables.warehouse import Warehouse


def versions(warehouse: Warehouse, environment: Environment) -> dict[str, set[int]]:
    """Table -> the Delta versions on which the models that hold an alias were trained.

    Raises:
        ModelError: a model's artifact cannot be fetched or is not to be trusted.
    """
    versions_by_table: dict[str, set[int]] = {}
    for holder in events.holders(warehouse):
        subject = Subject(warehouse.project, holder.model_name, holder.number)
        manifest = verified.manifest(environment, subject)
        for table, version in manifest.data.items():
            versions_by_table.setdefault(table, set()).add(version)
    return versions_by_table

"""What models were trained on, so that it can be read as long as one of them is in use."""

from nightjar.registry import events, verified
from nightjar.registry.signature import Subject
from nightjar.settings.environment import Environment
from nightjar.tables.warehouse import Warehouse


def versions(warehouse: Warehouse, environment: Environment) -> dict[str, set[int]]:
    """Table -> the Delta versions that the models which hold an alias were trained on.

    Raises:
        ModelError: a model's artifact cannot be fetched or is not to be trusted.
    """
    cited: dict[str, set[int]] = {}
    for holder in events.holders(warehouse):
        subject = Subject(warehouse.project, holder.model_name, holder.number)
        manifest = verified.manifest(environment, subject)
        for table, version in manifest.data.items():
            cited.setdefault(table, set()).add(version)
    return cited

"""What is to be seen of a registered version's artifact, for the gates that judge it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from nightjar.errors import ModelError
from nightjar.models.columns import difference
from nightjar.registry import keys, lookup, verified
from nightjar.registry.signature import Subject
from nightjar.settings.environment import Environment
from nightjar.tables import arrow
from nightjar.tables.warehouse import Warehouse


def inspect(environment: Environment, warehouse: Warehouse, subject: Subject, run_date: date) -> Mapping[str, Any]:
    """Fetch and verify the artifact; nothing in it is opened. It need not be one that can be opened here.

    Returns:
        `refusal`, why it is not to be trusted, as a sentence, or None; and where it is: the `bytes` of its files, the
        versions of its `data`, the `last_date` that it was fitted on and its age on the run date, and the
        `schema_differences` of table `features` as it is now from what it reads, a text for each column.

    Raises:
        ModelError: it cannot be fetched, or there is no key to verify it with: that says nothing of it.
    """
    key = keys.public_key(environment)
    folder = lookup.fetch(Path(environment.home).absolute(), subject.project, subject.version)
    try:
        artifact = verified.check(folder, subject, key)
    except ModelError as error:
        return {"refusal": str(error)}
    last_date = artifact.manifest.period[1]
    return {
        "refusal": None,
        "bytes": sum(len(content) for content in artifact.files.values()),
        "data": dict(artifact.manifest.data),
        "last_date": last_date,
        "data_age_days": (run_date - date.fromisoformat(last_date)).days,
        "schema_differences": difference(artifact.manifest.features, arrow.schema(warehouse, "features")),
    }

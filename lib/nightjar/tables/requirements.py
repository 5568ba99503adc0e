"""The features that a Delta table requires of its readers and writers, whoever has set them. Checked only here.

A feature that is not listed is not supported: the table is left to Spark, and writers refuse it before they write.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from deltalake import DeltaTable

from nightjar.errors import TableError
from nightjar.tables import commits

READ = {
    "timestampNtz": "a type, which files hold as they hold others",
    "v2Checkpoint": "a form of the log, which delta-rs reads",
    "vacuumProtocolCheck": "about who removes old files",
    "deletionVectors": "as long as no live file has one",
    "columnMapping": "as long as the mode is none: names are those in the files",
}
"""Reader feature -> why data files still have exactly the table's rows and columns."""
WRITTEN = {
    "timestampNtz": READ["timestampNtz"],
    "v2Checkpoint": "checkpoints of the older form stay allowed",
    "deletionVectors": READ["deletionVectors"],
    "columnMapping": READ["columnMapping"],
    "appendOnly": "as long as nothing is replaced",
    "invariants": "as long as no column has one",
    "checkConstraints": "as long as there is none",
    "generatedColumns": "as long as no column has generated values",
    "changeDataFeed": "files that come and go whole tell the changes by themselves",
}
"""Writer feature -> why a commit of whole data files meets it. delta-rs writes tables with these."""
NEEDED_BY_OTHERS = {"domainMetadata"}  # features that depend on it must be dropped first
IMPLIES_IDENTITY = 6  # the version of the protocol, older than lists of features, that implies identity columns
MAPPING = "delta.columnMapping.mode"
CONSTRAINT = "delta.constraints."
OF_COLUMNS = {
    "delta.invariants": "an invariant",
    "delta.generationExpression": "generated values",
    "delta.identity.start": "identity values",
    "CURRENT_DEFAULT": "a default value",
}
"""Metadata of a column -> what it requires of added rows."""
REMEDIES = {
    "deletionVectors": "REORG TABLE {table} APPLY (PURGE)",
    "columnMapping": "ALTER TABLE {table} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')",
    "appendOnly": "ALTER TABLE {table} SET TBLPROPERTIES ('delta.appendOnly' = 'false')",
    "inCommitTimestamp": "ALTER TABLE {table} DROP FEATURE inCommitTimestamp",
    "rowTracking": "ALTER TABLE {table} DROP FEATURE rowTracking",
    "domainMetadata": "ALTER TABLE {table} DROP FEATURE domainMetadata",
}
"""Feature -> statement of Spark that removes it from the table."""
COPY = "copy its rows to a new table with the same partitions, and put that in the place of {table}"
"""For the rest: to drop a feature of readers leaves checkpointProtection behind, which stays for a day."""


def unreadable(delta_table: DeltaTable, table: str) -> str | None:
    """Why the data files of an opened table cannot be read directly, in words; None where they can."""
    features = _unreadable_features(delta_table)
    return f"table {table} uses {', '.join(sorted(features))}" if features else None


def check_readable(delta_table: DeltaTable, table: str, folder: str) -> None:
    """Make sure that the data files of an opened table have exactly its rows and columns.

    Raises:
        TableError: they do not; it names the feature.
    """
    features = sorted(_unreadable_features(delta_table))
    if features:
        raise TableError(
            f"Table {table} at {folder} uses {', '.join(features)}, which is read by Spark only. "
            f"To be rid of that, in Spark: {'; '.join(_remedy(feature, folder) for feature in features)}"
        )


def check_writable(delta_table: DeltaTable, table: str, folder: str) -> None:
    """Make sure that rows may be added to an opened table: that all its features and rules are supported here.

    NOT NULL columns are checked by `fields.complete`.

    Raises:
        TableError: one is not; it names the feature or the rule.
    """
    unsupported = dict(_unsupported(delta_table, folder))
    if unsupported:
        raise TableError(
            f"Table {table} at {folder} has {'; '.join(unsupported)}, which is not honoured here. Nothing was written. "
            f"Write it in Spark, or be rid of that there: {'; '.join(dict.fromkeys(unsupported.values()))}"
        )


def check_maintainable(delta_table: DeltaTable, table: str, folder: str) -> None:
    """Make sure that files of an opened table may be merged, and old ones removed.

    Raises:
        TableError: the table has a feature that does not allow it.
    """
    check_writable(delta_table, table, folder)
    if "deletionVectors" in (delta_table.protocol().reader_features or ()):
        raise TableError(
            f"Table {table} at {folder} has feature deletionVectors: those that an older version needs would be "
            f"removed. Remove old files in Spark: VACUUM delta.`{folder}`"
        )


def check_removable(delta_table: DeltaTable, table: str, folder: str) -> None:
    """Make sure that rows may be removed from an opened table.

    Raises:
        TableError: it is append-only.
    """
    if _is_on(delta_table, "delta.appendOnly"):
        raise TableError(
            f"Table {table} at {folder} has delta.appendOnly=true, and this run replaces rows of it. Nothing was "
            f"written. Allow it: {_remedy('appendOnly', folder)}"
        )


def log_advice(folder: str) -> str:
    """Advice on a table that delta-rs cannot open, if it has a feature that may be the reason; else empty."""
    try:
        entries = [one for version in commits.versions(folder) for one in commits.entries(folder, version) or ()]
    except (ValueError, OSError):
        return ""  # the log itself is the reason
    latest: dict[str, Any] = {kind: action for entry in entries for kind, action in entry.items()}
    protocol, metadata = latest.get("protocol", {}), latest.get("metaData", {})
    features = {*protocol.get("readerFeatures", ()), *protocol.get("writerFeatures", ())} - {*READ, *WRITTEN}
    if metadata.get("configuration", {}).get(MAPPING, "none") != "none":
        features.add("columnMapping")
    remedies = "; ".join(_remedy(feature, folder) for feature in sorted(features))
    return f"It has feature {', '.join(sorted(features))}. To be rid of that, in Spark: {remedies}" if features else ""


def _unreadable_features(delta_table: DeltaTable) -> set[str]:
    """The features of an opened table due to which its files alone do not determine its rows."""
    features = set(delta_table.protocol().reader_features or ())
    unreadable = features - set(READ)
    if delta_table.metadata().configuration.get(MAPPING, "none") != "none":
        unreadable.add("columnMapping")
    if "deletionVectors" in features and any(batch.num_rows for batch in delta_table.deletion_vectors()):
        unreadable.add("deletionVectors")
    return unreadable


def _unsupported(delta_table: DeltaTable, folder: str) -> Iterator[tuple[str, str]]:
    """Each unsupported feature or rule, with what to run in Spark to remove it."""
    protocol = delta_table.protocol()
    features = _unreadable_features(delta_table) | set(protocol.writer_features or ()) - set(WRITTEN)
    if protocol.min_writer_version == IMPLIES_IDENTITY:
        features.add("identityColumns")
    for feature in sorted(features, key=lambda name: (name in NEEDED_BY_OTHERS, name)):
        yield f"feature {feature}", _remedy(feature, folder)
    for name, value in sorted(delta_table.metadata().configuration.items()):
        if name.startswith(CONSTRAINT):
            rule = name.removeprefix(CONSTRAINT)
            yield f"constraint {rule} CHECK ({value})", f"ALTER TABLE delta.`{folder}` DROP CONSTRAINT `{rule}`"
    for field in json.loads(delta_table.schema().to_json())["fields"]:
        yield from _unsupported_in_column(field, folder)


def _unsupported_in_column(field: Mapping[str, Any], folder: str) -> Iterator[tuple[str, str]]:
    name = field["name"]
    for key, what in OF_COLUMNS.items():
        if key in field["metadata"]:
            yield f"{what} in column {name} ({field['metadata'][key]})", _remedy(key, folder)
    if _has_inner_rule(field["type"]):
        yield f"NOT NULL within column {name}", _remedy("NOT NULL", folder)


def _has_inner_rule(kind: Any) -> bool:
    """Whether a nested type declares one of its inner fields NOT NULL."""
    if not isinstance(kind, Mapping):
        return False
    inner = [kind[name] for name in ("elementType", "keyType", "valueType") if name in kind]
    inner += [field["type"] for field in kind.get("fields", ())]
    rules = [kind.get("containsNull", True), kind.get("valueContainsNull", True)]
    rules += [field["nullable"] for field in kind.get("fields", ())]
    return not all(rules) or any(map(_has_inner_rule, inner))


def _is_on(delta_table: DeltaTable, name: str) -> bool:
    return delta_table.metadata().configuration.get(name, "false").lower() == "true"


def _remedy(feature: str, folder: str) -> str:
    return REMEDIES.get(feature, COPY).format(table=f"delta.`{folder}`")

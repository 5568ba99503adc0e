"""What a Delta table asks of who reads or writes it, whoever has set it: asked here, and nowhere else.

A feature that is not listed is not honoured: the table is left to Spark, and writers refuse it before they write.
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
"""Reader feature -> why data files still hold just the rows and columns that the table has."""
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
"""Writer feature -> why a commit of whole data files does what the table asks. delta-rs writes tables with these."""
NEEDED_BY_OTHERS = {"domainMetadata"}  # can be dropped once those are
IMPLIES_IDENTITY = 6  # this version of the protocol, from before features were listed
MAPPING = "delta.columnMapping.mode"
CONSTRAINT = "delta.constraints."
OF_COLUMNS = {
    "delta.invariants": "an invariant",
    "delta.generationExpression": "generated values",
    "delta.identity.start": "identity values",
    "CURRENT_DEFAULT": "a default value",
}
"""Metadata of a column -> what it demands of whoever adds rows."""
REMEDIES = {
    "deletionVectors": "REORG TABLE {table} APPLY (PURGE)",
    "columnMapping": "ALTER TABLE {table} SET TBLPROPERTIES ('delta.columnMapping.mode' = 'none')",
    "appendOnly": "ALTER TABLE {table} SET TBLPROPERTIES ('delta.appendOnly' = 'false')",
    "inCommitTimestamp": "ALTER TABLE {table} DROP FEATURE inCommitTimestamp",
    "rowTracking": "ALTER TABLE {table} DROP FEATURE rowTracking",
    "domainMetadata": "ALTER TABLE {table} DROP FEATURE domainMetadata",
}
"""What is to be run in Spark so that the table does not ask for a feature any more."""
COPY = "copy its rows to a new table with the same partitions, and put that in the place of {table}"
"""For the rest: to drop a feature of readers leaves checkpointProtection behind, which stays for a day."""


def unreadable(stands: DeltaTable, table: str) -> str | None:
    """Why the data files of an opened table cannot be read as they are, in words; None where they can."""
    features = _unread(stands)
    return f"table {table} uses {', '.join(sorted(features))}" if features else None


def check_readable(stands: DeltaTable, table: str, folder: str) -> None:
    """Make sure that the data files of an opened table hold just its rows and columns.

    Raises:
        TableError: they do not, naming the feature.
    """
    features = sorted(_unread(stands))
    if features:
        raise TableError(
            f"Table {table} at {folder} uses {', '.join(features)}, which is read by Spark only. "
            f"To be rid of that, in Spark: {'; '.join(_remedy(feature, folder) for feature in features)}"
        )


def check_writable(stands: DeltaTable, table: str, folder: str) -> None:
    """Make sure that rows may be added to an opened table: that what it asks of them is honoured here.

    Columns that are NOT NULL are honoured by `fields.completed`.

    Raises:
        TableError: it is not, naming the feature or the rule.
    """
    asked = dict(_asked(stands, folder))
    if asked:
        raise TableError(
            f"Table {table} at {folder} has {'; '.join(asked)}, which is not honoured here. Nothing was written. "
            f"Write it in Spark, or be rid of that there: {'; '.join(dict.fromkeys(asked.values()))}"
        )


def check_maintainable(stands: DeltaTable, table: str, folder: str) -> None:
    """Make sure that files of an opened table may be merged, and old ones removed.

    Raises:
        TableError: the table asks for more than that.
    """
    check_writable(stands, table, folder)
    if "deletionVectors" in (stands.protocol().reader_features or ()):
        raise TableError(
            f"Table {table} at {folder} has feature deletionVectors: those that an older version needs would be "
            f"removed. Remove old files in Spark: VACUUM delta.`{folder}`"
        )


def check_removable(stands: DeltaTable, table: str, folder: str) -> None:
    """Make sure that rows may be removed from an opened table.

    Raises:
        TableError: it is append-only.
    """
    if _is_on(stands, "delta.appendOnly"):
        raise TableError(
            f"Table {table} at {folder} has delta.appendOnly=true, and this run replaces rows of it. Nothing was "
            f"written. Allow it: {_remedy('appendOnly', folder)}"
        )


def in_log(folder: str) -> str:
    """What to say of a table that delta-rs cannot open, if it has a feature that may be why; nothing, if not."""
    try:
        entries = [one for version in commits.versions(folder) for one in commits.entries(folder, version) or ()]
    except (ValueError, OSError):
        return ""  # the log itself is why
    latest: dict[str, Any] = {kind: action for entry in entries for kind, action in entry.items()}
    protocol, metadata = latest.get("protocol", {}), latest.get("metaData", {})
    features = {*protocol.get("readerFeatures", ()), *protocol.get("writerFeatures", ())} - {*READ, *WRITTEN}
    if metadata.get("configuration", {}).get(MAPPING, "none") != "none":
        features.add("columnMapping")
    rid = "; ".join(_remedy(feature, folder) for feature in sorted(features))
    return f"It has feature {', '.join(sorted(features))}. To be rid of that, in Spark: {rid}" if features else ""


def _unread(stands: DeltaTable) -> set[str]:
    """The features of an opened table by which its files do not tell its rows."""
    features = set(stands.protocol().reader_features or ())
    unread = features - set(READ)
    if stands.metadata().configuration.get(MAPPING, "none") != "none":
        unread.add("columnMapping")
    if "deletionVectors" in features and any(batch.num_rows for batch in stands.deletion_vectors()):
        unread.add("deletionVectors")
    return unread


def _asked(stands: DeltaTable, folder: str) -> Iterator[tuple[str, str]]:
    """What is not honoured -> what to run in Spark to be rid of it."""
    protocol = stands.protocol()
    features = _unread(stands) | set(protocol.writer_features or ()) - set(WRITTEN)
    if protocol.min_writer_version == IMPLIES_IDENTITY:
        features.add("identityColumns")
    for feature in sorted(features, key=lambda name: (name in NEEDED_BY_OTHERS, name)):
        yield f"feature {feature}", _remedy(feature, folder)
    for name, value in sorted(stands.metadata().configuration.items()):
        if name.startswith(CONSTRAINT):
            rule = name.removeprefix(CONSTRAINT)
            yield f"constraint {rule} CHECK ({value})", f"ALTER TABLE delta.`{folder}` DROP CONSTRAINT `{rule}`"
    for field in json.loads(stands.schema().to_json())["fields"]:
        yield from _asked_of_column(field, folder)


def _asked_of_column(field: Mapping[str, Any], folder: str) -> Iterator[tuple[str, str]]:
    name = field["name"]
    for key, what in OF_COLUMNS.items():
        if key in field["metadata"]:
            yield f"{what} in column {name} ({field['metadata'][key]})", _remedy(key, folder)
    if _has_inner_rule(field["type"]):
        yield f"NOT NULL within column {name}", _remedy("NOT NULL", folder)


def _has_inner_rule(kind: Any) -> bool:
    """Whether a nested type declares something within it NOT NULL."""
    if not isinstance(kind, Mapping):
        return False
    inner = [kind[name] for name in ("elementType", "keyType", "valueType") if name in kind]
    inner += [field["type"] for field in kind.get("fields", ())]
    rules = [kind.get("containsNull", True), kind.get("valueContainsNull", True)]
    rules += [field["nullable"] for field in kind.get("fields", ())]
    return not all(rules) or any(map(_has_inner_rule, inner))


def _is_on(stands: DeltaTable, name: str) -> bool:
    return stands.metadata().configuration.get(name, "false").lower() == "true"


def _remedy(feature: str, folder: str) -> str:
    return REMEDIES.get(feature, COPY).format(table=f"delta.`{folder}`")

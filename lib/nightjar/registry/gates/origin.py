"""Whether a version is what was trained here, on versioned and recent data, for the columns that are built now."""

from collections.abc import Mapping
from typing import Any

from nightjar.registry.gates.outcome import Outcome, Verdict
from nightjar.settings.promotion import Promotion

SIGNATURE, SCHEMA, LINEAGE, FRESHNESS = "signature", "schema", "lineage", "freshness"
INPUTS = ("features", "labels")
"""The tables that every training reads."""


def judge_signature(artifact: Mapping[str, Any]) -> Outcome:
    """All of its files are signed by the key of this place."""
    if artifact["refusal"] is not None:
        return Outcome(SIGNATURE, Verdict.REFUSED, artifact["refusal"])
    return Outcome(SIGNATURE, Verdict.PASSED, "Its files are signed, and none was altered.")


def judge_schema(artifact: Mapping[str, Any]) -> Outcome | None:
    """The table of features has the columns that it reads, of the same types; None: it cannot be read."""
    differences = artifact.get("schema_differences")
    if differences is None:
        return None
    if differences:
        sentence = f"The table features does not fit what it reads: {'; '.join(differences)}."
        return Outcome(SCHEMA, Verdict.REFUSED, sentence, len(differences), 0)
    return Outcome(SCHEMA, Verdict.PASSED, "The table features has all columns that it reads.", 0, 0)


def judge_lineage(artifact: Mapping[str, Any]) -> Outcome | None:
    """Each table that it was trained on is on record with its version, 0 among them; None: it cannot be read."""
    data = artifact.get("data")
    if data is None:
        return None
    unversioned = sorted({name for name in (*INPUTS, *data) if not _is_version(data.get(name))})
    if unversioned:
        sentence = f"On which version of {', '.join(unversioned)} it was trained is not on record."
        return Outcome(LINEAGE, Verdict.REFUSED, sentence, len(unversioned), 0)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(data.items()))
    return Outcome(LINEAGE, Verdict.PASSED, f"It was trained on the versions {versions}.", 0, 0)


def judge_freshness(artifact: Mapping[str, Any], settings: Promotion) -> Outcome | None:
    """Its newest training row is as young as declared; None: the project declares no limit, or it cannot be read."""
    limit, age = settings.data_age_days, artifact.get("data_age_days")
    if limit is None or age is None:
        return None
    verdict, word = (Verdict.PASSED, "at most") if age <= limit else (Verdict.REFUSED, "more than")
    sentence = f"The last date that it was fitted on, {artifact['last_date']}, is {age} days ago, {word} {limit}."
    return Outcome(FRESHNESS, verdict, sentence, age, limit)


def _is_version(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0

"""The manifest of a model's artifact: written with it, and read without opening anything else."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from nightjar.errors import LearningError, ModelError
from nightjar.evaluation.conformal import ConformalSets, read_sets
from nightjar.models.columns import FeatureColumn
from nightjar.registry.ranges import FeatureRange, read_range
from nightjar.registry.tiers import TierThreshold, read_tier
from nightjar.settings.task import Task

FORMAT = 2
MANIFEST = "manifest.json"
_LATER: dict[str, Any] = {
    "label_hash": None,
    "thresholds": [],
    "classes": [],
    "costs": [],
    "ranges": [],
    "sets": None,
}
"""Fields that older manifests of this format lack -> their value there."""
_FORMER = "threshold"
"""In older manifests: the threshold of the one tier that there was, `act`, or null."""


@dataclass(frozen=True)
class Manifest:
    """The description of an artifact. All values are plain JSON.

    Attributes:
        project: whose model it is.
        model_name: the candidate's name in the search.
        task: a value of `Task`.
        estimator: the estimator's name in the settings.
        parameters: the estimator's.
        definitions_hash: of the feature definitions the training data was built with.
        label_hash: of the definition of the labels it learned; None where they were stored before there were hashes.
        code_revision: of Nightjar.
        seeds: purpose -> seed.
        data: table -> Delta version read.
        data_cutoff: the last `known_at` of the data used; ISO instant.
        data_hash: of the content of all rows that the training read, for folds, final period and the model itself;
            those without a label are among them where a candidate was self-trained.
        rows: how many of them the model is fitted on.
        period: first and last local date of those, both inclusive.
        metrics: metric -> estimate and interval.
        baselines: baseline -> the same metrics of it.
        thresholds: of each tier of decisions, in their order.
        classes: of several classes: their values, in the order of the predictor's probabilities; otherwise none.
        costs: what mistakes between them cost, (actual, predicted).
        ranges: of each feature what the rows had that the model is fitted on; older manifests have none.
        sets: what decides which classes cannot be ruled out for a row; None: nobody asked for it.
        features: the columns it reads, in order. This and the following fields are filled in by `artifacts.save`.
        structure: how its files make a predictor, see `nightjar.models.serialization.predictor_files`.
        packages: package -> version it was saved with.
        files: file -> SHA-256 in hexadecimal.
        format: of the folder.
    """

    project: str
    model_name: str
    task: str
    estimator: str
    parameters: Mapping[str, Any]
    definitions_hash: str
    code_revision: str
    seeds: Mapping[str, int]
    data: Mapping[str, int]
    data_cutoff: str
    data_hash: str
    rows: int
    period: tuple[str, str]
    metrics: Mapping[str, Any]
    baselines: Mapping[str, Any]
    thresholds: tuple[TierThreshold, ...] = ()
    label_hash: str | None = None
    classes: tuple[str, ...] = ()
    costs: tuple[tuple[float, ...], ...] = ()
    ranges: tuple[FeatureRange, ...] = ()
    sets: ConformalSets | None = None
    features: tuple[FeatureColumn, ...] = ()
    structure: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = FORMAT


def to_json(manifest: Manifest) -> bytes:
    """The manifest as the content of its file.

    Raises:
        ModelError: it holds values that are not JSON (NaN is not: leave such a measure out, or null).
    """
    try:
        text = json.dumps(asdict(manifest), indent=2, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()
    except (TypeError, ValueError) as error:
        raise ModelError(f"The manifest of {manifest.model_name} cannot be written as JSON: {error}.") from error


def from_json(content: bytes, where: str) -> Manifest:
    """The manifest in the content of its file; `where` is its name in errors.

    Raises:
        ModelError: it is no manifest of this format.
    """
    try:
        stored = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{where} cannot be read as a model's manifest: {error}.") from error
    if not isinstance(stored, dict) or stored.get("format") != FORMAT:
        actual = stored.get("format") if isinstance(stored, dict) else type(stored).__name__
        raise ModelError(
            f"{where} is of format {actual!r}: this version of Nightjar reads format {FORMAT}. Train the model again."
        )
    names = {one.name for one in fields(Manifest)}
    stored = _LATER | stored
    former = stored.pop(_FORMER, None)
    if former is not None:
        stored["thresholds"] = [{"tier": "act", "threshold": former}]
    if set(stored) != names:
        raise ModelError(f"{where} differs from a manifest in its fields: {sorted(set(stored) ^ names)}.")
    try:
        return _manifest(stored)
    except (KeyError, TypeError, ValueError, LearningError) as error:
        raise ModelError(f"{where} holds values of another shape than a manifest's: {error!r}.") from error


def _manifest(stored: dict[str, Any]) -> Manifest:
    first, last = stored["period"]
    classes, costs = tuple(map(str, stored["classes"])), tuple(tuple(map(float, row)) for row in stored["costs"])
    if {len(costs), *map(len, costs)} != {len(classes)}:
        raise ValueError(f"costs of {len(classes)} classes are {costs}")
    return Manifest(
        **stored
        | {
            "task": Task(stored["task"]).value,
            "period": (str(first), str(last)),
            "classes": classes,
            "costs": costs,
            "thresholds": tuple(map(read_tier, stored["thresholds"])),
            "ranges": tuple(map(read_range, stored["ranges"])),
            "sets": read_sets(stored["sets"]),
            "structure": dict(stored["structure"]),
            "features": tuple(FeatureColumn(str(one["name"]), str(one["type"])) for one in stored["features"]),
        }
        | {name: _texts(stored[name]) for name in ("files", "packages")}
    )


def _texts(stored: Any) -> dict[str, str]:
    return {name: str(value) for name, value in dict(stored).items()}

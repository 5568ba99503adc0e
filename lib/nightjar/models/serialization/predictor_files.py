"""Serialization of predictors: skops for scikit-learn, safetensors for networks, the own formats of LightGBM and
XGBoost, a structure of JSON for the rest.

The structure is plain JSON: the features, the names of the files, and the parameters of a calibration or a blend. An
ensemble's members are structures of their own, whose files have the member's number as prefix.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

import safetensors.numpy

from nightjar.errors import LearningError, ModelError
from nightjar.models.boosters.booster import Booster
from nightjar.models.boosters.booster_files import file_name, open_booster, structure_of
from nightjar.models.columns import FeatureColumn
from nightjar.models.ensembles.blending import Blend, ClassBlend
from nightjar.models.ensembles.calibration import Isotonic, PerClass, Platt
from nightjar.models.estimators.native_boosting import levels_of
from nightjar.models.network.perceptron import Perceptron
from nightjar.models.predictor import Calibrator, Classifier, Predictor, Regressor
from nightjar.models.serialization.class_checks import require_fitting_classes
from nightjar.models.serialization.skops_allowlist import dump as dump_part
from nightjar.models.serialization.skops_allowlist import open_estimator, open_preparation, require_allowed_types
from nightjar.models.serialization.skops_files import without_former_names

Structure = dict[str, Any]

PREPARATION = "preparation.skops"
ESTIMATOR = "estimator.skops"
NETWORK = "network.safetensors"
CURVES: Mapping[str, type[Platt | Isotonic]] = {"platt": Platt, "isotonic": Isotonic}


def dump(predictor: Predictor, prefix: str = "") -> tuple[Structure, dict[str, bytes]]:
    """The structure of a predictor, and its files: name -> content.

    Raises:
        ModelError: it holds types that `open_predictor` would refuse.
    """
    files: dict[str, bytes] = {}
    structure: Structure = {
        "features": [asdict(column) for column in predictor.features],
        "preparation": None,
        "estimator": _dump_estimator(predictor.estimator, prefix, files),
        "members": [],
        "calibration": _dump_curve(predictor.calibration),
    }
    if predictor.classes:
        structure |= {"classes": list(predictor.classes), "seen": list(predictor.seen)}
    if predictor.preparation is not None:
        structure["preparation"] = f"{prefix}{PREPARATION}"
        files[f"{prefix}{PREPARATION}"] = dump_part(predictor.preparation)
    for number, member in enumerate(predictor.members, start=1):
        inner, contents = dump(member, f"{prefix}{number}-")
        structure["members"].append(inner)
        files |= contents
    return structure, files


def open_predictor(structure: Structure, files: Mapping[str, bytes], where: str) -> Predictor:
    """The predictor in files whose hashes were checked. The types in all of them are checked before any is opened.

    Args:
        structure: as `dump` made it.
        files: name -> content.
        where: name of the artifact, for errors.

    Raises:
        ModelError: the structure is not that of a predictor or does not name exactly these files, or a file holds a
            type that is not on our list or cannot be opened.
    """
    try:
        entries = list(_files_of(structure))
        names = sorted(name for name, _ in entries)
        if names != sorted(files):
            raise ModelError(f"{where}: its structure names the files {names}, and there are {sorted(files)}.")
        contents = dict(files)
        for name, of_skops in entries:
            if of_skops:
                contents[name] = without_former_names(files[name], f"{where}: {name}")
                require_allowed_types(contents[name], f"{where}: {name}")
        return _open(structure, contents, where)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError, LearningError) as error:
        raise ModelError(f"{where}: its structure is not that of a predictor: {error!r}.") from error


def _dump_estimator(estimator: Classifier | Regressor, prefix: str, files: dict[str, bytes]) -> Structure:
    if isinstance(estimator, Blend):
        return {"blend": asdict(estimator)}
    if isinstance(estimator, ClassBlend):
        return {"class_blend": asdict(estimator)}
    if isinstance(estimator, Perceptron):
        files[f"{prefix}{NETWORK}"] = safetensors.numpy.save(dict(estimator.state))
        return {"network": f"{prefix}{NETWORK}", "probability": estimator.probability}
    if isinstance(estimator, Booster):
        name = f"{prefix}{file_name(estimator)}"
        files[name] = estimator.model_
        return {"booster": name} | structure_of(estimator)
    files[f"{prefix}{ESTIMATOR}"] = dump_part(estimator)
    has_categories = getattr(estimator, "is_categorical_", None) is not None
    return {"skops": f"{prefix}{ESTIMATOR}"} | ({"levels": levels_of(estimator)} if has_categories else {})


def _dump_curve(curve: Calibrator | None) -> Structure | None:
    if curve is None:
        return None
    if isinstance(curve, PerClass):
        return {"per_class": [_dump_curve(one) for one in curve.curves]}
    for name, kind in CURVES.items():
        if isinstance(curve, kind):
            return {name: asdict(curve)}
    raise ModelError(f"A calibration of type {type(curve).__name__} cannot be stored.")


def _files_of(structure: Structure) -> Iterator[tuple[str, bool]]:
    """The name of each file that would be opened, and whether by skops."""
    estimator = structure["estimator"]
    files = (
        (structure["preparation"], True),
        (estimator.get("skops"), True),
        (estimator.get("network"), False),
        (estimator.get("booster"), False),
    )
    yield from ((str(name), of_skops) for name, of_skops in files if name is not None)
    for member in structure["members"]:
        yield from _files_of(member)


def _open(structure: Structure, files: Mapping[str, bytes], where: str) -> Predictor:
    features = tuple(FeatureColumn(str(one["name"]), str(one["type"])) for one in structure["features"])
    name = structure["preparation"]
    members = tuple(_open(member, files, where) for member in structure["members"])
    predictor = Predictor(
        features,
        None if name is None else open_preparation(files[name], f"{where}: {name}"),
        _open_estimator(structure["estimator"], files, where, members),
        members,
        _open_curve(structure["calibration"]),
        tuple(str(one) for one in structure.get("classes", ())),
        tuple(int(code) for code in structure.get("seen", ())),
    )
    require_fitting_classes(predictor, where)
    return predictor


def _open_estimator(
    structure: Structure, files: Mapping[str, bytes], where: str, members: Sequence[Predictor]
) -> Classifier | Regressor:
    kind = next(iter(structure))
    if (kind in ("blend", "class_blend")) != bool(members):
        raise ModelError(f"{where}: a blend has members, nothing else has any: found {kind} of {len(members)}.")
    if kind == "blend":
        blend = structure["blend"]
        weights = tuple(float(weight) for weight in blend["weights"])
        if len(weights) != len(members):
            raise ModelError(f"{where}: a blend of {len(members)} members has {len(weights)} weights.")
        return Blend(weights, float(blend["intercept"]), log_odds=bool(blend["log_odds"]))
    if kind == "class_blend":
        rows, intercepts = structure["class_blend"]["weights"], structure["class_blend"]["intercepts"]
        return ClassBlend(tuple(tuple(map(float, row)) for row in rows), tuple(map(float, intercepts)))
    if kind == "network":
        name = structure["network"]
        try:
            state = safetensors.numpy.load(files[name])
        except Exception as error:
            raise ModelError(f"{where}: {name} cannot be opened: {error!r}.") from error
        return Perceptron(state, probability=bool(structure["probability"]))
    if kind == "booster":
        name = structure["booster"]
        return cast("Classifier | Regressor", open_booster(structure, files[name], f"{where}: {name}"))
    return open_estimator(files[structure["skops"]], f"{where}: {structure['skops']}")


def _open_curve(structure: Structure | None) -> Calibrator | None:
    if structure is None:
        return None
    [(name, values)] = structure.items()
    if name == "per_class":
        return PerClass(tuple(None if one is None else _open_single_curve(one) for one in values))
    return _open_single_curve(structure)


def _open_single_curve(structure: Structure) -> Platt | Isotonic:
    [(name, values)] = structure.items()
    if name == "platt":
        return Platt(float(values["slope"]), float(values["intercept"]))
    score, probability = (tuple(float(one) for one in values[part]) for part in ("score", "probability"))
    if name != "isotonic" or len(score) != len(probability) or not score:
        raise ModelError(
            f"A calibration is platt or isotonic, with as many probabilities as scores: found {structure}."
        )
    return Isotonic(score, probability)

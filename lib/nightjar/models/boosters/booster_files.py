"""Boosters as files of their libraries' formats, and a structure of JSON beside them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from nightjar.errors import ModelError
from nightjar.models.boosters.booster import Booster, BoosterOfClasses
from nightjar.models.boosters.lightgbm_booster import LightGbmClassifier, LightGbmOfClasses, LightGbmRegressor
from nightjar.models.boosters.trees import are_whole
from nightjar.models.boosters.xgboost_booster import XgBoost, XgBoostClassifier, XgBoostOfClasses, XgBoostRegressor

CLASSES: Mapping[str, type[Booster]] = {
    "lightgbm_classifier": LightGbmClassifier,
    "lightgbm_of_classes": LightGbmOfClasses,
    "lightgbm_regressor": LightGbmRegressor,
    "xgboost_classifier": XgBoostClassifier,
    "xgboost_of_classes": XgBoostOfClasses,
    "xgboost_regressor": XgBoostRegressor,
}
"""Stored name -> class. The names are permanent."""
MOST_INPUTS = 1_000_000
MOST_CLASSES = 1_000
MOST_LEVELS = 2**24
"""Of a native category: codes up to this one are exact in 32 bits."""


def structure_of(booster: Booster) -> dict[str, Any]:
    """A fitted booster without its model: its class, its inputs, and what is taken from them first."""
    (name,) = (name for name, one in CLASSES.items() if type(booster) is one)
    shift = {"shift": booster.shift_.tolist()} if isinstance(booster, XgBoost) else {}
    levels = {"levels": list(booster.levels)} if any(booster.levels) else {}
    outputs = {"outputs": booster.outputs_} if isinstance(booster, BoosterOfClasses) else {}
    return {"class": name, "inputs": booster.inputs_} | outputs | levels | shift


def file_name(booster: Booster) -> str:
    """The name of its model's file."""
    return "xgboost.json" if isinstance(booster, XgBoost) else "lightgbm.txt"


def open_booster(structure: Mapping[str, Any], content: bytes, name: str) -> Booster:
    """The fitted booster in a file that is checked before its library parses it.

    Raises:
        ModelError: it holds no model of ours.
        KeyError, TypeError, ValueError: the structure is not one of `structure_of`.
    """
    booster, inputs = CLASSES[structure["class"]](), structure["inputs"]
    if not are_whole([inputs], 1, MOST_INPUTS):
        raise ModelError(f"{name} is a model of {inputs!r} inputs, expected a whole number from 1 to {MOST_INPUTS:,}.")
    booster.inputs_, booster.levels = inputs, tuple(structure.get("levels", ()))
    if booster.levels and not (len(booster.levels) == inputs and are_whole(booster.levels, 0, MOST_LEVELS)):
        raise ModelError(f"{name}: its levels are not a whole number for each of {inputs} inputs.")
    if isinstance(booster, BoosterOfClasses):
        booster.outputs_ = structure["outputs"]
        if not are_whole([booster.outputs_], 2, MOST_CLASSES):
            raise ModelError(f"{name} is a model of {booster.outputs_!r} classes, expected 2 to {MOST_CLASSES}.")
    if isinstance(booster, XgBoost):
        booster.shift_ = np.array([float(one) for one in structure["shift"]])
        if booster.shift_.shape != (inputs,) or not np.isfinite(booster.shift_).all():
            raise ModelError(f"{name}: its shift is not a finite number for each of {inputs} inputs.")
    return booster.with_model(content, name)

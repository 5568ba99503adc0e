"""Experiments that lack what their kind needs, or have what it does not, are refused before anything starts."""

from dataclasses import replace
from pathlib import Path

import pytest

import builders
from nightjar.expressions.columns import unknown_columns
from nightjar.settings.serving.canary import Canary
from nightjar.settings.serving.experiment import Experiment, ExperimentKind, Guard, Harm
from nightjar.settings.serving.serving import Serving
from nightjar.settings.task import Metric

RANDOMISED = {"kind": ExperimentKind.RANDOMISED, "value": "score", "effect": 1, "deviation": 9, "entities": 50}
PAIRED = {"kind": ExperimentKind.PAIRED}
GUARD = Guard("score", Harm.MORE)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (RANDOMISED | {"value": None}, "value: found None, expected one for kind=randomised"),
        (RANDOMISED | {"effect": None}, "effect: found None, expected one for kind=randomised"),
        (RANDOMISED | {"metric": Metric.BRIER}, "metric: found 'brier', expected none for kind=randomised"),
        (PAIRED | {"deviation": 1}, "deviation: found 1.0, expected none for kind=paired"),
        (PAIRED | {"guards": {"one": GUARD}}, r"guards: found \['one'\], expected none for kind=paired"),
        (RANDOMISED | {"guards": {"value": GUARD}}, "guards: found 'value', expected another name"),
        (RANDOMISED | {"exposure": "12h"}, "exposure: found '12h', expected days or weeks"),
        (RANDOMISED | {"exposure": "2w", "age": "13d"}, "age: found '13d', expected days, at least exposure=2w"),
        (RANDOMISED | {"level": 0.5}, "level: found 0.5, expected less than 0.5"),
    ],
)
def test_an_experiment_has_what_its_kind_needs_and_nothing_else(settings, expected):
    with pytest.raises(ValueError, match=expected):
        Experiment(**settings)


def project_with(experiment, *steps):
    serving = Serving(canary=Canary(list(steps)), experiment=experiment)
    return replace(builders.machines(Path("files")), serving=serving)


def test_arms_need_a_canary_and_a_metric_its_task():
    with pytest.raises(ValueError, match=r"serving.experiment.kind: found 'randomised', expected paired, or shares"):
        project_with(Experiment(**RANDOMISED))
    with pytest.raises(ValueError, match=r"serving.experiment.metric: found 'rmse', expected one of"):
        project_with(Experiment(ExperimentKind.PAIRED, metric=Metric.RMSE))
    project_with(Experiment(ExperimentKind.PAIRED, metric=Metric.BRIER))


def test_a_name_that_is_no_column_is_told_without_spark():
    guards = {"late": Guard("IF(label, tier_, score)", Harm.MORE)}
    experiment = Experiment(**RANDOMISED | {"value": "load * score + lod", "guards": guards})
    value, late = unknown_columns(project_with(experiment, 0.1))
    assert value.startswith("project.serving.experiment.value: the expression 'load * score + lod' names lod, which")
    assert "did you mean 'load'" in value
    assert late.startswith("project.serving.experiment.guards.late.value: ")

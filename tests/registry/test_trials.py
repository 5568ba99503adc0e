"""Figures of folds under names that MLflow takes."""

import pytest
from mlflow.utils.validation import _validate_metric_name

from nightjar.registry.trials import metrics


@pytest.mark.parametrize(
    ("name", "logged"),
    [
        ("roc_auc", "roc_auc"),
        ("recall[late]", "recall/late"),
        ("final_recall[on time]_low", "final_recall/on time_low"),
        ("rate[1 à 2]", "rate/1 _ 2 75e525b3"),
        ("final_f1[..]_estimate", "final_f1/__ 5ec1f7e7_estimate"),
        ("rate[a//[b]/]", "rate/a___b__ e0d5049f"),
    ],
)
def test_a_figure_of_one_class_is_logged_under_a_name_of_its_own(name, logged):
    (metric,) = metrics({name: 0.5, "undefined": None})
    assert metric.key == logged
    _validate_metric_name(metric.key)


def test_classes_that_mlflow_cannot_tell_apart_have_names_of_their_own():
    values = ["<1", ">1", "早い", "遅い", 300 * "a", 299 * "a" + "b"]
    names = {one.key for one in metrics({f"final_average_precision[{value}]_estimate": 0.5 for value in values})}
    assert len(names) == len(values)
    for name in names:
        _validate_metric_name(name)
        assert len(name) <= 250

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
        ("rate[1 à 2]", "rate/1 _ 2"),
        ("final_f1[..]_estimate", "final_f1/___estimate"),
        ("rate[a//[b]/]", "rate/a___b__"),
    ],
)
def test_a_figure_of_one_class_is_logged_under_a_name_of_its_own(name, logged):
    (metric,) = metrics({name: 0.5, "undefined": None})
    assert metric.key == logged
    _validate_metric_name(metric.key)

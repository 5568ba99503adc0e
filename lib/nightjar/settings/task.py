"""The tasks of a label, and the metrics that compare models."""

from nightjar.settings.choices import Choice


class Task(Choice):
    """What a label asks: yes or no, or which class (probabilities are predicted); how much; which order in a list."""

    CLASSIFICATION = "classification"
    MULTICLASS = "multiclass"
    REGRESSION = "regression"
    RANKING = "ranking"

    @property
    def has_classes(self) -> bool:
        """Whether the label is a class, two or several: rows can be stratified by it, and scores are probabilities."""
        return self in (Task.CLASSIFICATION, Task.MULTICLASS)


class Metric(Choice):
    """What a search optimises; every measure of the task is computed for every fold.

    Metrics of several classes are means over classes, however rare each of them is, but for log loss and Brier score.
    Those of decisions take the class of the least expected cost; of two classes there are none, because their decisions
    take a threshold, which is chosen after the search.
    """

    ROC_AUC = "roc_auc"
    AVERAGE_PRECISION = "average_precision"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    BALANCED_ACCURACY = "balanced_accuracy"
    F1 = "f1"
    EXPECTED_COST = "expected_cost"
    RMSE = "rmse"
    MAE = "mae"
    R2 = "r2"
    MAPE = "mape"
    SMAPE = "smape"
    PINBALL = "pinball"
    NDCG = "ndcg"
    PRECISION_AT_K = "precision_at_k"
    RECALL_AT_K = "recall_at_k"
    MEAN_AVERAGE_PRECISION = "mean_average_precision"
    MEAN_RECIPROCAL_RANK = "mean_reciprocal_rank"

    @property
    def greater_is_better(self) -> bool:
        """Whether more of it is better."""
        return self not in _LOSSES

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that it judges."""
        return tuple(task for task, metrics in METRICS.items() if self in metrics)


_LOSSES = (
    *(Metric.LOG_LOSS, Metric.BRIER, Metric.EXPECTED_COST),
    *(Metric.RMSE, Metric.MAE, Metric.MAPE, Metric.SMAPE, Metric.PINBALL),
)
_OF_PROBABILITIES = (Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.LOG_LOSS, Metric.BRIER)
METRICS: dict[Task, tuple[Metric, ...]] = {
    Task.CLASSIFICATION: _OF_PROBABILITIES,
    Task.MULTICLASS: (*_OF_PROBABILITIES, Metric.BALANCED_ACCURACY, Metric.F1, Metric.EXPECTED_COST),
    Task.REGRESSION: (Metric.RMSE, Metric.MAE, Metric.R2, Metric.MAPE, Metric.SMAPE, Metric.PINBALL),
    Task.RANKING: (
        *(Metric.NDCG, Metric.PRECISION_AT_K, Metric.RECALL_AT_K),
        *(Metric.MEAN_AVERAGE_PRECISION, Metric.MEAN_RECIPROCAL_RANK),
    ),
}
"""Task -> its metrics; the first one is the main one, which is reported first."""

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
    """What a search optimises; every measure of the task is computed for every fold."""

    ROC_AUC = "roc_auc"
    AVERAGE_PRECISION = "average_precision"
    LOG_LOSS = "log_loss"
    BRIER = "brier"
    RMSE = "rmse"
    MAE = "mae"
    R2 = "r2"
    NDCG = "ndcg"

    @property
    def greater_is_better(self) -> bool:
        """Whether more of it is better."""
        return self in (Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.R2, Metric.NDCG)

    @property
    def task(self) -> Task:
        """The task it judges."""
        if self in (Metric.RMSE, Metric.MAE, Metric.R2):
            return Task.REGRESSION
        return Task.RANKING if self is Metric.NDCG else Task.CLASSIFICATION

"""The tasks of a label, and the metrics that compare models."""

from nightjar.settings.choices import Choice


class Task(Choice):
    """What a label asks: yes or no (a probability is predicted), how much, or in which order within a list."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    RANKING = "ranking"


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

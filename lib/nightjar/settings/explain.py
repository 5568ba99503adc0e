"""The settings of the job explain: which score, or that a model is explained."""

from nightjar.settings.jobs import Job
from nightjar.settings.validation import settings


@settings
class Explain(Job):
    """Why a row of a past night has its score, or what the champion of a run date goes by.

    Attributes:
        prediction_id: as in `scores`, of the run date: it is explained by the model that has scored it; None: the
            champion is explained, by the rows of the nights up to the run date.
    """

    prediction_id: str | None = None

"""What measures of predictions ask of a project."""

from typing import Annotated

from pydantic import Field

from nightjar.settings.fields import Count, Real
from nightjar.settings.validation import settings


@settings
class Measuring:
    """What some measures take besides labels and scores.

    Attributes:
        places (places): of a ranking: the first so many places of a list are those that count for precision_at_k and
            recall_at_k.
        quantile (share): of a regression: the quantile of the label that a prediction is to be, by which pinball loss
            weighs errors on either side; 0.5: the median.
    """

    places: Count = 10
    quantile: Annotated[Real, Field(gt=0, lt=1)] = 0.5

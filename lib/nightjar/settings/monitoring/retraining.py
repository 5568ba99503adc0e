"""Settings of retraining: what calls for it, how often at most, and how it is done."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, LengthText, Real
from nightjar.settings.validation import settings

Growth = Annotated[Real, Field(gt=0)]


class RetrainingKind(Choice):
    """How a training that a trigger calls for goes about it.

    FULL: the whole search, on all rows. WARM_START: it starts from the champion's candidate, and tries no other, on all
    rows. SLIDING_WINDOW: the whole search, on the rows of the last days.
    """

    FULL = "full"
    WARM_START = "warm_start"
    SLIDING_WINDOW = "sliding_window"


@settings
class Retraining:
    """When a model is trained anew though one holds, and how.

    Each night every rule that is declared is decided, and the decision recorded in `triggers`. Whatever calls for a
    training, what it trains has to pass the same gates as any other version.

    Attributes:
        automatic: whether the nightly after a night that calls for it trains; otherwise somebody starts jobs/train.py.
        every: so long after the last training, such as `28d`. None: time alone calls for none.
        rows (share): new rows of features, of those before the last training. None: no such rule.
        labels (share): new labels, of those before it. None: no such rule.
        performance (nights): in a row on which a signal of performance, concept or prior says ACT. None: no such rule.
        drift (nights): the same of covariates and predictions. None: no such rule.
        cooldown: so long after a training none is called for.
        most (trainings): within 365 days.
        kind: how the training goes about it.
        window (local dates): of `sliding_window`: the last dates whose rows are trained on.
    """

    automatic: bool = False
    every: LengthText | None = None
    rows: Growth | None = None
    labels: Growth | None = None
    performance: Count | None = 3
    drift: Count | None = None
    cooldown: LengthText = "7d"
    most: Count = 26
    kind: RetrainingKind = RetrainingKind.FULL
    window: Count | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether there is a window where one is slid, and only there."""
        slides = self.kind is RetrainingKind.SLIDING_WINDOW
        expected = f"{'a number of dates' if slides else 'none'} for kind={self.kind}"
        yield from expect((self.window is not None) == slides, "window", self.window, expected)

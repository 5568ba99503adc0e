"""What wrong decisions cost a project."""

import math
from collections.abc import Iterator

from nightjar.settings.checks import Issue, expect
from nightjar.settings.fields import Real
from nightjar.settings.validation import settings


@settings
class Costs:
    """What acting on a score can cost, in any one unit. With them a training fits the threshold to act from.

    Attributes:
        missed: a row that was True and was not acted on; None: nobody decides by the score.
        false_alarm: a row that was acted on and was False.
    """

    missed: Real | None = None
    false_alarm: Real | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether there are both, or none."""
        for name, value, other in (
            ("missed", self.missed, self.false_alarm),
            ("false_alarm", self.false_alarm, self.missed),
        ):
            is_positive = value is not None and 0 < value < math.inf
            yield from expect(
                is_positive or (value is None and other is None), name, value, "more than 0, or both costs none"
            )

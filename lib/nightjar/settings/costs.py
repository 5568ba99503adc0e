"""What wrong decisions cost a project."""

import math
from dataclasses import dataclass

from nightjar.settings.checks import require


@dataclass
class Costs:
    """What acting on a score can cost, in any one unit. With them a training fits the threshold to act from.

    Attributes:
        missed: a row that was True and was not acted on; None: nobody decides by the score.
        false_alarm: a row that was acted on and was False.
    """

    missed: float | None = None
    false_alarm: float | None = None

    def __post_init__(self) -> None:
        """Check that both are given, or none."""
        for name, value, other in (
            ("missed", self.missed, self.false_alarm),
            ("false_alarm", self.false_alarm, self.missed),
        ):
            is_positive = value is not None and 0 < value < math.inf
            require(is_positive or (value is None and other is None), name, value, "more than 0, or both costs none")

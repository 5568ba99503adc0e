"""Why something was decided, for people."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """The reason of one decision.

    Attributes:
        text: in words, on one line.
        is_open: whether a person must check the decision: the data alone cannot tell.
    """

    text: str
    is_open: bool = False

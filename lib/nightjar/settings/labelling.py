"""Settings of labels by annotators, and of self-training on rows without labels."""

from dataclasses import dataclass

from nightjar.settings.checks import require


@dataclass
class Annotators:
    """Who answers, where a label is what most annotators say.

    Attributes:
        column: of the label's source: who gave the answer. None: the label is not asked of annotators.
        least: with fewer answers than so many a row has no majority.
    """

    column: str | None = None
    least: int = 1

    def __post_init__(self) -> None:
        """Check that somebody has to answer."""
        require(self.least >= 1, "least", self.least, "at least 1")
        require(self.column is not None or self.least == 1, "least", self.least, "1 without a column")


@dataclass
class SelfTraining:
    """A classifier labels what has no label where it is sure, and is fitted again with it.

    Attributes:
        floor: a row joins with the label that its predicted probability is above this for. None: no row joins.
        rounds: how often at most rows join.
    """

    floor: float | None = None
    rounds: int = 5

    def __post_init__(self) -> None:
        """Check that the floor is above chance, and that there is a round."""
        chance = self.floor is not None and not 0.5 < self.floor < 1
        require(not chance, "floor", self.floor, "a probability above 0.5 and below 1")
        require(self.rounds >= 1, "rounds", self.rounds, "at least 1")

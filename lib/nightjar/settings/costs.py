"""What wrong decisions cost a project."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Annotated, TypeAlias

from pydantic import Discriminator, Tag

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.fields import Real
from nightjar.settings.label import Label
from nightjar.settings.task import Task
from nightjar.settings.validation import settings


@settings
class Amount:
    """An amount of each row.

    Attributes:
        column: of the feature table, such as one that `spine.keep` names: the amount, a number of 0 or more.
    """

    column: str


def _tag_of_price(value: object) -> str | None:
    if isinstance(value, Mapping | Amount):
        return "<amount>"
    if value is None:
        return "<none>"
    return "<number>" if isinstance(value, int | float) else None


Price: TypeAlias = Annotated[
    Annotated[Real, Tag("<number>")] | Annotated[Amount, Tag("<amount>")] | Annotated[None, Tag("<none>")],
    Discriminator(
        _tag_of_price,
        custom_error_type="price",
        custom_error_message="expected {expected}",
        custom_error_context={"expected": "a number, or {column: NAME} for an amount of each row"},
    ),
]
"""The same in all rows, or an amount of each; None: there is none."""


@settings
class Costs:
    """What wrong decisions can cost, in any one unit.

    With the first two a training fits the threshold to act from; the matrix decides which class is predicted.

    Attributes:
        missed (any one): a row that was True and was not acted on: a number, or the mapping {column} for an amount of
            each row. None: nobody decides by the score.
        false_alarm (the same): a row that was acted on and was False: a number, or the mapping {column}.
        matrix (any one): of several classes: the actual class -> the predicted one -> what that mistake costs, for
            every two different classes. Empty: every mistake costs 1.
    """

    missed: Price = None
    false_alarm: Price = None
    matrix: dict[str, dict[str, Real]] = field(default_factory=dict)

    def issues(self) -> Iterator[Issue]:
        """Whether there are both of a yes or no, or none, and whether mistakes between classes have a price."""
        for name, value, other in (
            ("missed", self.missed, self.false_alarm),
            ("false_alarm", self.false_alarm, self.missed),
        ):
            is_price = isinstance(value, Amount) or (value is not None and 0 < value < math.inf)
            yield from expect(
                is_price or (value is None and other is None), name, value, "more than 0, or both costs none"
            )
        prices = {f"matrix.{actual}.{one}": cost for actual, row in self.matrix.items() for one, cost in row.items()}
        for path, cost in prices.items():
            yield from expect(0 <= cost < math.inf, path, cost, "a finite cost of 0 or more")
        is_free = bool(self.matrix) and not any(prices.values())
        yield from expect(not is_free, "matrix", self.matrix, "a mistake that costs more than 0, or no matrix")

    def issues_with(self, label: Label, stored: Collection[str] = ()) -> Iterator[Issue]:
        """Whether the label's task can have such costs, the matrix one for each two different classes, and amounts a
        column of the feature table's, `stored`.
        """
        task, classes = label.task, list(label.classes)
        decides, chooses = task is Task.CLASSIFICATION, task is Task.MULTICLASS
        yield from expect(decides or self.missed is None, "missed", self.missed, f"none for label.task={task}")
        yield from expect(chooses or not self.matrix, "matrix", self.matrix, f"none for label.task={task}")
        if chooses and self.matrix:
            yield from self._matrix_issues(classes)
        for name, column in self.amounts().items():
            yield from expect_one_of(f"{name}.column", [column], stored, "feature table's columns")

    def between(self, classes: Sequence[str]) -> tuple[tuple[float, ...], ...]:
        """The cost of predicting each of the classes, (actual, predicted), both in the order given."""
        return tuple(
            tuple(0.0 if one == actual else float(self.matrix[actual][one]) if self.matrix else 1.0 for one in classes)
            for actual in classes
        )

    def amounts(self) -> dict[str, str]:
        """Name of a cost -> the column with its amounts, of those that have one."""
        prices = {"missed": self.missed, "false_alarm": self.false_alarm}
        return {name: price.column for name, price in prices.items() if isinstance(price, Amount)}

    def prices(self) -> tuple[float | str, float | str] | None:
        """What a missed row and a false alarm cost, a number or the column with amounts; None: there are no costs."""
        if self.missed is None or self.false_alarm is None:
            return None
        missed, false_alarm = (
            one.column if isinstance(one, Amount) else float(one) for one in (self.missed, self.false_alarm)
        )
        return missed, false_alarm

    def _matrix_issues(self, classes: Sequence[str]) -> Iterator[Issue]:
        yield from expect_one_of("matrix", self.matrix, classes, "classes of the label")
        for actual in classes:
            others, row = [one for one in classes if one != actual], self.matrix.get(actual, {})
            for predicted in dict.fromkeys([*others, *row]):
                at, cost = f"matrix.{actual}.{predicted}", row.get(predicted)
                expected = "left out: a right decision costs nothing" if predicted == actual else f"one of {others}"
                yield from expect(predicted in others, at, cost, expected)
                yield from expect(cost is not None, at, cost, f"what it costs to predict {predicted} for {actual}")

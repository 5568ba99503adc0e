"""Settings of the label: what is predicted for each row of the spine, a yes or no, a class, or a number."""

import math
import re
from collections.abc import Iterator
from dataclasses import field
from datetime import timedelta
from typing import Annotated

from pydantic import Field

from nightjar.durations import Duration, parse_duration
from nightjar.settings.acting import Acted
from nightjar.settings.checks import Issue, expect
from nightjar.settings.features import Aggregate
from nightjar.settings.fields import DurationText, LengthText, Real
from nightjar.settings.labelling import Annotators
from nightjar.settings.task import Task
from nightjar.settings.validation import settings
from nightjar.timeline import Moments, shift

_NUMBER = r"[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?"
_RISING, _FALLING = rf"\s*value\s*>=?\s*{_NUMBER}\s*", rf"\s*value\s*<=?\s*{_NUMBER}\s*"
OF_NOTHING = (Aggregate.SUM, Aggregate.COUNT)
"""Aggregates whose value over no facts is a setting of the label (`empty`)."""
_MONOTONE = {Aggregate.COUNT: _RISING, Aggregate.DISTINCT: _RISING, Aggregate.MAX: _RISING, Aggregate.MIN: _FALLING}
"""Monotone aggregates -> the pattern of conditions that further facts cannot make untrue."""
COUNTS_OF_CLASSES = 3, 50
"""The fewest and the most classes of a label: of two a classification is made, more are no classes, but names."""
_RESERVED = ("value", "label", "label_known_at", "prediction_time")
"""Columns that exist where rules are computed, or are computed from them; no rule may have such a name."""


@settings
class Label:
    """An outcome by key, or an aggregate of the facts within the horizon.

    Attributes:
        task: `classification`: the label is true or false; `multiclass`: one of several classes; `regression`: a
            number; `ranking`: how relevant a row is, compared within its list.
        classes: for `multiclass`: value of the outcome -> its name for people, for all values that there are, 3 to 50;
            their order here is the order of classes in figures, and decides between predictions of equal cost. A whole
            number is written as a text, "1". An outcome that is no class stops the build of labels.
        query: for `ranking`: columns of the feature table whose values name the list; prediction_time among them where
            each night has lists of its own.
        source: the source of outcomes, or of the facts to aggregate.
        keys: spine column -> column of the source; for an outcome they name it.
        column: of the source: the outcome, or what is aggregated. A classification asks for a boolean, several classes
            for a text or a whole number, a regression for a number, stored as a double; in a ranking true is 1 and
            false 0. NaN and infinity are no outcome.
        horizon: facts in (prediction time, prediction time + horizon] count. A row without an outcome when the horizon
            has passed is settled with a null label: it is neither trained on (self-training aside) nor measured.
        aggregate: of the column over the horizon, which is the label of a regression or ranking. None: the label is
            the outcome itself.
        empty (the aggregate's): what a `sum` or `count` over nothing is: no facts, or none whose column is not null.
            None: null, as any other aggregate of nothing is (`distinct` aside, which is 0).
        condition: of an aggregate, for a classification: Spark SQL over `value`, the aggregate, such as "value > 0". A
            condition that is null settles the label as null.
        settled_early: the label of an aggregate is known as soon as the condition is true, not only when the horizon
            has passed. Only for conditions that further facts cannot make untrue again, as "value > 0" of a count.
        allowed_lateness: facts of the horizon that become known up to this long after it has passed still correct the
            label, as a new version of it. Then it is final.
        annotators: the source holds answers of several: the label is what most of them say (of several classes the one
            that is said more often than any other), each by the last answer within the horizon that is not null. It is
            known when the answer is that makes it so, with a new version each time it changes. A tie, or too few
            answers, settles it as null.
        rules: instead of a condition, for a classification: name -> Spark SQL over the spine's columns, `value` and the
            rules before it, that gives true, false, or null where it has nothing to say. The label is what most of the
            rules say that say something; a tie, or silence, settles it as null.
        acted: which rows somebody has acted on. Each label says so; such rows are neither trained on nor in the final
            period, and served nights are judged with and without them.
    """

    source: str
    keys: Annotated[dict[str, str], Field(min_length=1)]
    column: str
    horizon: LengthText
    aggregate: Aggregate | None = None
    empty: Real | None = 0.0
    condition: str | None = None
    settled_early: bool = False
    allowed_lateness: DurationText = "0d"
    task: Task = Task.CLASSIFICATION
    classes: dict[str, str] = field(default_factory=dict)
    query: list[str] = field(default_factory=list)
    annotators: Annotators = field(default_factory=Annotators)
    rules: dict[str, str] = field(default_factory=dict)
    acted: Acted = field(default_factory=Acted)

    def issues(self) -> Iterator[Issue]:
        """Whether classes, query, condition, rules and annotators fit the task and the aggregate."""
        ranks, asks = self.task is Task.RANKING, self.task is Task.CLASSIFICATION
        yield from expect(
            bool(self.query) == ranks, "query", self.query, "columns for task=ranking, none for other tasks"
        )
        yield from self._class_issues()
        yield from self._answer_issues(asks)
        yield from self._empty_issues()
        yield from self._acted_issues()
        if self.aggregate is None or not asks:
            yield from expect(
                self.condition is None, "condition", self.condition, "none unless an aggregate is classified"
            )
            yield from expect(
                not self.settled_early, "settled_early", self.settled_early, "false unless an aggregate is classified"
            )
            return
        expected = 'a condition on the aggregate, such as "value > 0", or rules'
        yield from expect(bool(self.condition) != bool(self.rules), "condition", self.condition, expected)
        if self.settled_early:
            yield from expect(not self.rules, "settled_early", self.settled_early, "false with rules")
            yield from self._monotone_issues(self.aggregate, self.condition or "")

    def columns(self) -> list[str]:
        """The columns of the source that are read, besides keys and clocks."""
        return [self.column, *([self.annotators.column] if self.annotators.column else [])]

    def action_facts(self) -> tuple[str, dict[str, str]]:
        """The source that says which rows were acted on, and spine column -> its column."""
        return self.acted.source or self.source, self.acted.keys or self.keys

    def deciding_facts(self) -> list[tuple[str, dict[str, str]]]:
        """Each source whose changes may change a stored label, and spine column -> its column."""
        own, actions = (self.source, self.keys), self.action_facts()
        return [own, actions] if self.acted.column is not None and actions != own else [own]

    def horizon_length(self) -> Duration:
        """The horizon."""
        return parse_duration(self.horizon)

    def lateness(self) -> Duration:
        """The allowed lateness."""
        return parse_duration(self.allowed_lateness)

    def passed_at(self, predicted: Moments, zone: str) -> Moments:
        """When the horizons of rows have passed that are predicted then."""
        return shift(predicted, self.horizon_length(), zone)

    def final_at(self, predicted: Moments, zone: str) -> Moments:
        """When no fact can change the labels of such rows any more: the allowed lateness after that."""
        return shift(self.passed_at(predicted, zone), self.lateness(), zone)

    def shared_days(self) -> int:
        """How many dates' labels one day can affect: the horizon of an aggregate, in days begun; 1 for an outcome."""
        if self.aggregate is None:
            return 1
        horizon = self.horizon_length()
        return horizon.days or max(1, -(-horizon.exact // timedelta(days=1)))

    def question(self) -> str:
        """What the label means, in words: the statement that is true, or the number."""
        if self.aggregate is None:
            has_annotators = self.annotators.column is not None
            if self.task is Task.CLASSIFICATION:
                return f"{'most annotators say that ' if has_annotators else ''}{self.column} is true"
            return f"what most annotators say of {self.column}" if has_annotators else self.column
        aggregated = f"the {self.aggregate.value} of {self.column} in the next {self.horizon}"
        if self.task is not Task.CLASSIFICATION:
            return aggregated
        if self.rules:
            return f"most of the rules that speak say so ({', '.join(self.rules)}), value being {aggregated}"
        return f"{self.condition}, value being {aggregated}"

    def _class_issues(self) -> Iterator[Issue]:
        several, values, names = self.task is Task.MULTICLASS, list(self.classes), list(self.classes.values())
        if not several:
            yield from expect(not values, "classes", values, "none, or task=multiclass")
            return
        fewest, most = COUNTS_OF_CLASSES
        expected = f"{fewest} to {most} classes, value: name; of two, make a boolean for task=classification"
        yield from expect(fewest <= len(values) <= most, "classes", values, expected)
        for value, name in self.classes.items():
            is_plain = bool(value) and value == value.strip() and value.isprintable()
            yield from expect(is_plain, "classes", value, "a value of the outcome, printable, no blank at its ends")
            is_own = bool(name.strip()) and names.count(name) == 1
            yield from expect(is_own, f"classes.{value}", name, "a name for people that no other class has")
        aggregate = self.aggregate.value if self.aggregate else None
        expected = "none for several classes: derive the class as a column of the source, which is then the outcome"
        yield from expect(aggregate is None, "aggregate", aggregate, expected)

    def _answer_issues(self, classifies: bool) -> Iterator[Issue]:  # noqa: FBT001  (whether the task is a classification)
        annotator, aggregated = self.annotators.column, self.aggregate is not None
        expected = "none unless what is classified is no aggregate, but the answers themselves"
        yield from expect(
            annotator is None or (self.task.has_classes and not aggregated), "annotators.column", annotator, expected
        )
        rules = sorted(self.rules)
        yield from expect(
            not rules or (classifies and aggregated), "rules", rules, "none unless an aggregate is classified"
        )
        for name in rules:
            free = name.isidentifier() and name not in _RESERVED
            yield from expect(free, "rules", name, f"an identifier that is none of {_RESERVED}")

    def _acted_issues(self) -> Iterator[Issue]:
        acted, marks = self.acted, self.acted.column is not None
        alone = not marks or self.annotators.column is None
        yield from expect(alone, "acted.column", acted.column, "none beside annotators")
        yield from expect(marks or acted.source is None, "acted.source", acted.source, "none without a column")
        needs = acted.source in (None, self.source) or bool(acted.keys)
        yield from expect(needs, "acted.keys", acted.keys, f"the keys by which source {acted.source} names rows")

    def _empty_issues(self) -> Iterator[Issue]:
        empty = self.empty
        yield from expect(empty is None or math.isfinite(empty), "empty", empty, "a finite number, or null")
        may_be_set = self.aggregate in OF_NOTHING and not self.settled_early
        expected = "left out: only a sum or count that is not settled early has one"
        yield from expect(
            may_be_set or empty == 0 or (empty is None and not self.settled_early), "empty", empty, expected
        )

    def _monotone_issues(self, aggregate: Aggregate, condition: str) -> Iterator[Issue]:
        monotone = [member.word for member in _MONOTONE]
        yield from expect(
            aggregate in _MONOTONE, "settled_early", self.settled_early, f"false, or an aggregate among {monotone}"
        )
        if aggregate not in _MONOTONE:
            return
        fits = re.fullmatch(_MONOTONE[aggregate], condition, re.IGNORECASE) is not None
        form = "value < NUMBER" if aggregate is Aggregate.MIN else "value > NUMBER"
        yield from expect(
            fits, "condition", condition, f"{form} (or equal), which no further fact undoes: settled_early is true"
        )

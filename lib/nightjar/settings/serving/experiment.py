"""Settings of the comparison between a challenger and the champion while both serve, or score the same rows."""

from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.durations import parse_duration
from nightjar.settings.checks import Issue, expect, expect_names
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, LengthText, Positive, Real
from nightjar.settings.task import METRICS, Metric, Task
from nightjar.settings.validation import settings

EXPERIMENT = "project.serving.experiment"
"""Path of these settings."""
_Chance = Annotated[Real, Field(gt=0, lt=1)]
_Level = Annotated[Real, Field(gt=0, lt=0.5)]


class ExperimentKind(Choice):
    RANDOMISED = "randomised"
    PAIRED = "paired"


class Harm(Choice):
    MORE = "more"
    LESS = "less"


@settings
class Guard:
    """What must not get worse for the entities that the challenger serves.

    Attributes:
        value: Spark SQL over a served row, as that of the experiment.
        harm: which is worse: `more` of it, or `less`.
        worse_by (the value's): once it is shown to be worse by more than this, on average over entities, the challenger
            is rolled back.
        exposure, age: as those of the experiment.
    """

    value: str
    harm: Harm
    worse_by: Annotated[Real, Field(ge=0)] = 0.0
    exposure: LengthText = "1d"
    age: LengthText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether exposure and age are whole days, and fit each other."""
        yield from _clock_issues(self.exposure, self.age)


@settings
class Experiment:
    """How challenger and champion are compared, every night, by bounds that hold at all nights together.

    `randomised`: where a decision changes the outcome. The entities that the challenger serves are compared with the
    others by what they turn out to be worth: each counts once, as old since its first night as all others. `paired`:
    where it does not, both models' scores of the same rows are compared by a metric.

    Attributes:
        kind: `randomised` or `paired`.
        value: of `randomised`: Spark SQL over a served row: what it turned out to be worth, a number for every row.
            It may use columns of `scores` and `features`, and `label` (null: without an outcome by then).
        exposure: the rows of an entity within so many days from its first night on count, the first night included.
        age: how old an entity is, since its first night, when it counts, with the labels that are known then. None: the
            exposure, and with a value that uses `label` horizon and allowed lateness besides.
        effect (the value's): the smallest difference an entity that matters, for the power of the plan.
        deviation (the value's): the standard deviation of what entities of one night are worth, for the plan.
        entities (entities a night): that count for the first time on a night, on average, for the plan.
        nights (nights): of the plan: bounds are tightest at its end, and nothing is expected after it.
        power (chance): that the plan has to show the effect, if it is there, by its end; a plan with less is refused.
        level (chance): that bounds are ever wrong, however often they are looked at.
        not_worse_by (the value's, the metric's): the challenger may become champion once it is shown not to be worse by
            more than this; None: it has to be better.
        metric: of `paired`: one of the task's metrics; None: its main one.
        guards: what must not get worse, by name, of `randomised`; with the main figure of either kind they decide when
            the challenger is rolled back.
        guard_level (chance): that any of the guards rolls back a challenger that is no worse.
    """

    kind: ExperimentKind
    value: str | None = None
    exposure: LengthText = "1d"
    age: LengthText | None = None
    effect: Positive | None = None
    deviation: Positive | None = None
    entities: Positive | None = None
    nights: Count = 56
    power: _Chance = 0.8
    level: _Level = 0.05
    not_worse_by: Annotated[Real, Field(gt=0)] | None = None
    metric: Metric | None = None
    guards: dict[str, Guard] = field(default_factory=dict)
    guard_level: _Level = 0.05

    def issues(self) -> Iterator[Issue]:
        """Whether what the kind needs is there, and nothing else."""
        is_randomised = self.kind is ExperimentKind.RANDOMISED
        for name in ("value", "effect", "deviation", "entities"):
            value = getattr(self, name)
            expected = "one for kind=randomised" if is_randomised else "none for kind=paired"
            yield from expect((value is not None) == is_randomised, name, value, expected)
        metric = None if self.metric is None else self.metric.word
        yield from expect(not is_randomised or metric is None, "metric", metric, "none for kind=randomised")
        yield from expect(is_randomised or not self.guards, "guards", sorted(self.guards), "none for kind=paired")
        yield from expect_names("guards", self.guards)
        expected = "another name: the experiment's own figure is called value"
        yield from expect("value" not in self.guards, "guards", "value", expected)
        yield from _clock_issues(self.exposure, self.age)

    def issues_with(self, task: Task, steps: Sequence[float]) -> Iterator[Issue]:
        """Whether the metric is one of the task's, and entities are drawn where the experiment needs it."""
        metric = self.metric
        is_of_task = metric is None or metric in METRICS[task]
        names = [one.word for one in METRICS[task]]
        yield from expect(is_of_task, "metric", metric and metric.word, f"one of {names} for label.task={task}")
        drawn = bool(steps) or self.kind is ExperimentKind.PAIRED
        expected = "paired, or shares of entities that a challenger serves, in serving.canary.steps"
        yield from expect(drawn, "kind", self.kind.word, expected)

    def expressions(self) -> dict[str, str]:
        """Path below the experiment -> Spark SQL expression."""
        of_value = {} if self.value is None else {"value": self.value}
        return of_value | {f"guards.{name}.value": guard.value for name, guard in self.guards.items()}


def _clock_issues(exposure: str, age: str | None) -> Iterator[Issue]:
    days = parse_duration(exposure).days
    yield from expect(days > 0, "exposure", exposure, "days or weeks, such as 1d")
    if age is not None:
        yield from expect(parse_duration(age).days >= max(days, 1), "age", age, f"days, at least exposure={exposure}")

"""Settings of who scores a night where the champion cannot."""

from collections.abc import Collection, Iterator
from dataclasses import field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import LengthText, Real
from nightjar.settings.task import Task
from nightjar.settings.validation import settings


class Substitute(Choice):
    """Who scores in the champion's place."""

    PREVIOUS_CHAMPION = "previous champion"
    RULE = "rule"


@settings
class Fallback:
    """Who scores a night where the champion cannot: there is none, it has expired or was stopped, its files fail to
    verify, it does not fit the features, it cannot compute with them, or it takes longer than its budget.

    Rows are marked in `scores.fallback`, and each time is a critical alert.

    Attributes:
        chain: who scores instead, one after another until one can: `previous_champion`, `rule`. None: nobody, and the
            night stops.
        rule: the rule of thumb: an expression over features, as `estimator: rule` takes, of a number or of yes and no.
        otherwise (the score's): the score of a row for which the rule is null.
        tier: that the rule's rows have, all of them: one without a capacity; none: nobody acts on them.
        budget: how long the champion may take with the rows of a night, and each of the chain but the last, after whom
            nobody comes; none: as long as it takes.
    """

    chain: list[Substitute] = field(default_factory=list)
    rule: str | None = None
    otherwise: Real | None = None
    tier: str | None = None
    budget: LengthText | None = None

    def issues(self) -> Iterator[Issue]:
        """Whether each is named once, and the rule is there if it is."""
        words = [one.word for one in self.chain]
        yield from expect(len(set(words)) == len(words), "chain", words, "each once")
        has_rule = Substitute.RULE in self.chain
        expected = "an expression over features" if has_rule else "none without rule in the chain"
        yield from expect((self.rule is not None) == has_rule, "rule", self.rule, expected)
        expected = "the score where the rule is null" if has_rule else "none without rule in the chain"
        yield from expect((self.otherwise is not None) == has_rule, "otherwise", self.otherwise, expected)
        yield from expect(has_rule or self.tier is None, "tier", self.tier, "none without rule in the chain")
        yield from expect(bool(self.chain) or self.budget is None, "budget", self.budget, "none without a chain")

    def issues_with(self, task: Task, tiers: Collection[str]) -> Iterator[Issue]:
        """Whether the rule's scores are of the project's task, and its tier is one of the project's."""
        has_rule = Substitute.RULE in self.chain
        expected = "no rule for label.task=multiclass: it has no probability of each class"
        yield from expect(
            not has_rule or task is not Task.MULTICLASS, "chain", [one.word for one in self.chain], expected
        )
        is_probability = self.otherwise is None or task is not Task.CLASSIFICATION or 0 <= self.otherwise <= 1
        yield from expect(is_probability, "otherwise", self.otherwise, "a probability, 0 to 1")
        yield from expect_one_of("tier", [] if self.tier is None else [self.tier], tiers, "project's tiers")

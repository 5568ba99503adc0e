"""Settings of human review: which predictions people look at, and what they may decide."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_names, expect_one_of
from nightjar.settings.fields import Count, LengthText, Real
from nightjar.settings.label import Label
from nightjar.settings.sources import Source
from nightjar.settings.validation import settings

REVIEWS = "reviews"
"""The table of what people did."""
OF_REVIEWS = (
    *("review_id", "prediction_id", "number", "action", "decision", "answer", "proposal", "reason", "reviewer"),
    *("recorded_by", "recorded_at", "claimed_until", "looks", "score", "tier", "model_version"),
)
"""Its columns beside the spine's key and those of every table."""


@settings
class ReviewDecision:
    """What a reviewer may decide about a case.

    Attributes:
        meaning: what follows from it, for the reviewer; empty: its name says it.
        answer: what it says of the label's statement, for a source of answers that reads `reviews`. None: nothing.
        reason: whether the reviewer has to say why, even where nothing is overridden.
    """

    meaning: str = ""
    answer: bool | None = None
    reason: bool = False


@settings
class Reviewing:
    """Which predictions people look at, and what they may decide. Without decisions nobody reviews.

    A case is a served prediction of one of the tiers, or one that the model abstains from.

    Attributes:
        decisions: name -> what it means, two at least, in the order in which they are offered.
        tiers: tiers whose predictions are cases, the most urgent first.
        abstained: whether predictions that the model abstains from are cases, whatever their tier.
        proposals: tier -> the decision that holds there unless somebody decides otherwise, which is an override, and
            needs a reason.
        due: how long after the prediction time a case is to be decided.
        claimed_for: how long a claim keeps others from deciding.
        looked_at_twice (share): of the cases, drawn by a hash, that two people decide, neither of whom sees what the
            other says. Where they differ, a third decides.
        nights (nights): the last ones, up to the run date, whose predictions are in the queue.
        worth: column of the feature table: the cases of a tier are in the order of score times its value. None: of
            the score.
        shown: columns of the feature table that the reviewer of a case sees.
        similar: columns of the feature table by which past cases are similar; empty: those that are shown.
    """

    decisions: dict[str, ReviewDecision] = field(default_factory=dict)
    tiers: list[str] = field(default_factory=list)
    abstained: bool = True
    proposals: dict[str, str] = field(default_factory=dict)
    due: LengthText = "1d"
    claimed_for: LengthText = "30m"
    looked_at_twice: Annotated[Real, Field(ge=0, le=1)] = 0.0
    nights: Count = 28
    worth: str | None = None
    shown: list[str] = field(default_factory=list)
    similar: list[str] = field(default_factory=list)

    def issues(self) -> Iterator[Issue]:
        """Whether there is something to decide, where anything is declared."""
        yield from expect_names("decisions", self.decisions)
        names = sorted(self.decisions)
        yield from expect(len(names) != 1, "decisions", names, "two decisions at least, or none")
        if not names:
            for name in ("tiers", "proposals", "worth", "shown", "similar"):
                value = getattr(self, name)
                yield from expect(not value, name, value, "none without decisions")
        yield from expect_one_of("proposals", self.proposals.values(), self.decisions, "decisions")

    @property
    def is_on(self) -> bool:
        """Whether there is anything to review."""
        return bool(self.decisions)

    def compared_columns(self) -> list[str]:
        """The columns by which past cases are similar."""
        return self.similar or self.shown

    def columns(self) -> list[str]:
        """The columns of the feature table that are read."""
        return list(dict.fromkeys([*([self.worth] if self.worth else []), *self.shown, *self.compared_columns()]))

    def issues_with(self, stored: Collection[str], tiers: Collection[str]) -> Iterator[Issue]:
        """Whether columns and tiers that are named are the project's."""
        for name in ("shown", "similar"):
            yield from expect_one_of(name, getattr(self, name), stored, "feature table's columns")
        yield from expect_one_of("worth", [self.worth] if self.worth else [], stored, "feature table's columns")
        for name in ("tiers", "proposals"):
            yield from expect_one_of(name, getattr(self, name), tiers, "project's tiers")


def reviewing_issues(
    review: Reviewing, label: Label, sources: Mapping[str, Source], key: Collection[str]
) -> Iterator[Issue]:
    """Whether no column of the key is called like one of `reviews`, and no outcome is what people decided.

    What people think of a case is an answer to the label's question, not what came of it.
    """
    for name in key if review.is_on else ():
        yield from expect(name.casefold() not in OF_REVIEWS, "spine.key", name, "another name: table reviews has it")
    source = sources.get(label.source)
    delta = None if source is None else source.delta
    if delta is None or PurePosixPath(delta.path.rstrip("/")).name != REVIEWS:
        return
    expected = f"a column that says who answered: source {label.source} reads decisions of people, which are no outcome"
    yield from expect(label.annotators.column is not None, "label.annotators.column", None, expected)

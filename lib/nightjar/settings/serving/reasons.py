"""Settings of reasons: which scores are stored with what made them, and in which words."""

from collections.abc import Collection, Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_one_of
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Real
from nightjar.settings.validation import settings

Part = Annotated[Real, Field(ge=0, le=1)]
NO_TIER = "none"
"""Among names of tiers: the rows that are in no tier."""


class Adverse(Choice):
    """Which scores speak against whom a row is about."""

    HIGH = "high"
    LOW = "low"


@settings
class AdverseAction:
    """Decisions against somebody, who may ask for the reasons: only what made the score worse counts, in set words.

    Attributes:
        tiers: those whose rows are decided against; `none`: rows in no tier.
        scores: which scores are the worse ones: `high`, as of a risk, or `low`.
        wording: feature -> what is said where it is among the reasons, such as "Income is low beside the amount". Each
            sentence is said once, for the most important of the features that share it. Every feature that a model
            may learn from needs one.
    """

    tiers: list[str] = field(default_factory=list)
    scores: Adverse = Adverse.HIGH
    wording: dict[str, str] = field(default_factory=dict)

    def issues(self) -> Iterator[Issue]:
        """Whether there is a sentence where there is a feature, and no sentence that nobody is told."""
        for name, sentence in self.wording.items():
            yield from expect(bool(sentence.strip()), f"wording.{name}", sentence, "a sentence")
        is_used = bool(self.tiers) or not self.wording
        yield from expect(is_used, "tiers", self.tiers, "the tiers whose rows are told in this wording")


@settings
class Reasons:
    """Which scores are stored with their reasons: what features add most to the raw score, with value and usual range.

    Reasons explain the raw score, before any calibration. They are exact Shapley values where the model has such, as
    boosting, forests, trees and linear models have; of others they are sampled, which takes far longer, and one that is
    not shown to differ from 0 is none. Of each row all of them are summed up and compared with the served score; where
    they differ the scoring stops, and no row is written.

    Attributes:
        tiers: tiers whose rows have reasons; `none`: rows in no tier. Of several classes the predicted ones.
        sample (share): of all other rows, drawn by the hash of each one's `prediction_id`, that have reasons, too.
        top (reasons): how many a row has at most.
        names: feature -> what reviewers call it; a feature without one has the name of its column.
        adverse: decisions whose reasons are told to whom they are about.
    """

    tiers: list[str] = field(default_factory=list)
    sample: Part = 0.0
    top: Count = 4
    names: dict[str, str] = field(default_factory=dict)
    adverse: AdverseAction = field(default_factory=AdverseAction)

    def issues(self) -> Iterator[Issue]:
        """Whether rows that are decided against have reasons."""
        missing = [name for name in self.adverse.tiers if name not in self.tiers]
        yield from expect(not missing, "adverse.tiers", missing, "only some of those in tiers, whose rows have reasons")
        for name, words in self.names.items():
            yield from expect(bool(words.strip()), f"names.{name}", words, "what reviewers call the feature")

    def is_declared(self) -> bool:
        """Whether some row has reasons."""
        return bool(self.tiers) or self.sample > 0

    def issues_with(self, features: Collection[str], groups: Collection[str]) -> Iterator[Issue]:
        """Whether features and tiers that are named are among those of the project.

        Args:
            features: every column that a model may learn from.
            groups: the tiers; of several classes these.
        """
        yield from expect_one_of("tiers", self.tiers, [*groups, NO_TIER], "tiers, or classes, and")
        yield from expect_one_of("names", self.names, features, "features")
        yield from expect_one_of("adverse.wording", self.adverse.wording, features, "features")
        silent = sorted(set(features) - set(self.adverse.wording)) if self.adverse.tiers else []
        yield from expect(not silent, "adverse.wording", silent, "a sentence for each of these features, too")

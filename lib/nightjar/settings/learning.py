"""Settings of the search over model candidates."""

from collections.abc import Iterator
from dataclasses import field
from typing import Annotated

from pydantic import Field

from nightjar.settings.checks import Issue, expect, expect_names
from nightjar.settings.choices import Choice
from nightjar.settings.fields import Count, Positive, Real, Whole
from nightjar.settings.hints import hint
from nightjar.settings.label import Label
from nightjar.settings.model import Model
from nightjar.settings.sampling import TrainingSample
from nightjar.settings.split import Split
from nightjar.settings.task import Metric
from nightjar.settings.validation import settings


class ProposalKind(Choice):
    GRID = "grid"
    RANDOM = "random"
    TPE = "tpe"


@settings
class Proposals:
    """Which points of a model's space become candidates.

    Attributes:
        kind: `grid`: every combination; the space holds lists only. `random`: points drawn by the search's seed. `tpe`:
            batches that Optuna's tree-structured Parzen estimator proposes from what the batches before have reached.
        trials: for `random` and `tpe`: candidates of each model that has a space.
        batch: for `tpe`: candidates of a model that are proposed at once. The results are the same however many
            processors there are, because a batch only knows the batches before it.
    """

    kind: ProposalKind = ProposalKind.GRID
    trials: Count | None = None
    batch: Count = 8

    def issues(self) -> Iterator[Issue]:
        """Whether there are trials where points are drawn, and only there."""
        drawn = self.kind is not ProposalKind.GRID
        expected = "at least 1 for kind=random and tpe" if drawn else "none for kind=grid: it tries every combination"
        fits = (self.trials is not None) == drawn
        yield from expect(fits, "trials", self.trials, expected)


@settings
class Stopping:
    """Successive halving with the fold as the resource: who is behind on the same few folds goes no further.

    At each rung all candidates of a batch that are still in the race have been measured on the same folds (the newest
    ones first in walk-forward, since small early folds favour small models). Those with the best means go on, at once
    where no open result can change it. The order in which results arrive decides nothing, and whoever was stopped
    cannot win. Baselines run on all folds.

    Source: Jamieson and Talwalkar (2016), Non-stochastic best arm identification and hyperparameter optimization.

    Attributes:
        rungs: after how many folds; none: every candidate runs on every fold.
        keep: the share that goes on, rounded up.
    """

    rungs: list[Count] = field(default_factory=list)
    keep: Annotated[Real, Field(gt=0, lt=1)] = 0.5

    def issues(self) -> Iterator[Issue]:
        """Whether rungs rise."""
        rising = self.rungs == sorted(set(self.rungs))
        yield from expect(rising, "rungs", self.rungs, "whole numbers from 1, each greater than the one before")


@settings
class Search:
    """The search: candidates, folds, and the final period that it never sees.

    Attributes:
        candidates: name -> model. The points of a model's space are called <name>-1, <name>-2, ...
        metric: what decides.
        split: the folds.
        proposals: which points of the models' spaces are tried.
        stopping: who goes no further.
        sample: the rows of a fold that models are fitted on.
        minutes: no fold is begun later than this after the search has started; None: no limit. The only setting with
            which the same data may give another winner on another machine.
        final_days: local dates in the final period, which ends before the run date.
        stand_in: the baseline, one without a space, that scores as champion where a winner is refused and no other one
            holds. Training is tried again each night until a winner deserves its place. None: such a night ends
            without scores.
        block_days: dates that count as one in intervals, at least, because rows of them share what happens. None: as
            many as an aggregate's horizon has, or one. The final period holds final_days / block_days blocks; with
            fewer than three its figures are of that period only, and nobody but a person promotes by them.
        seed: of every random choice.
    """

    candidates: dict[str, Model]
    metric: Metric = Metric.ROC_AUC
    split: Split = field(default_factory=Split)
    proposals: Proposals = field(default_factory=Proposals)
    stopping: Stopping = field(default_factory=Stopping)
    sample: TrainingSample = field(default_factory=TrainingSample)
    minutes: Positive | None = None
    final_days: Count = 28
    stand_in: str | None = None
    block_days: Count | None = None
    seed: Whole = 0

    def issues(self) -> Iterator[Issue]:
        """Whether there is a baseline and something to compare with it, and what one names of the other exists."""
        within = all(rung < self.split.folds for rung in self.stopping.rungs)
        yield from expect(within, "stopping.rungs", self.stopping.rungs, f"fewer folds than all {self.split.folds}")
        yield from expect_names("candidates", self.candidates)
        baselines = [name for name, model in self.candidates.items() if model.baseline]
        yield from expect(len(baselines) > 0, "candidates", sorted(self.candidates), "at least one with baseline: true")
        yield from expect(
            len(baselines) < len(self.candidates), "candidates", baselines, "at least one that is no baseline"
        )
        plain = [name for name in baselines if not self.candidates[name].space]
        yield from expect(
            self.stand_in in (None, *plain), "stand_in", self.stand_in, f"none, or a baseline without a space: {plain}"
        )
        for name, model in self.candidates.items():
            yield from self._member_issues(name, model)

    def days_of_block(self, label: Label) -> int:
        """The dates, at least, that count as one in intervals."""
        return self.block_days or label.shared_days()

    def inner_depth(self) -> int:
        """How deep its candidates learn from out-of-fold predictions, see `Model.inner_depth`."""
        return max(model.inner_depth(self.candidates) for model in self.candidates.values())

    def self_trains(self) -> bool:
        """Whether a candidate uses rows without a label."""
        return any(model.self_training.floor is not None for model in self.candidates.values())

    def _member_issues(self, name: str, model: Model) -> Iterator[Issue]:
        for member in model.members:
            where = f"candidates.{name}.members"
            others = sorted(set(self.candidates) - {name})
            yield from expect(
                member in others, where, member, f"one of the other candidates {others}{hint(member, others)}"
            )
            if member not in others:
                continue
            plain = not self.candidates[member].space and not self.candidates[member].members
            yield from expect(plain, where, member, "a candidate without a space and without members of its own")
            alone = self.candidates[member].self_training.floor is None
            yield from expect(alone, where, member, "a candidate without self_training: give it to the ensemble")

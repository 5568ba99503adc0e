"""Settings of the search over model candidates."""

from dataclasses import dataclass, field
from enum import Enum

from nightjar.settings.checks import require, require_names
from nightjar.settings.label import Label
from nightjar.settings.model import Model
from nightjar.settings.sampling import TrainingSample
from nightjar.settings.split import Split
from nightjar.settings.task import Metric


class ProposalKind(Enum):
    GRID = "grid"
    RANDOM = "random"
    TPE = "tpe"


@dataclass
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
    trials: int | None = None
    batch: int = 8

    def __post_init__(self) -> None:
        """Check the counts."""
        drawn = self.kind is not ProposalKind.GRID
        expected = "at least 1 for kind=RANDOM and TPE" if drawn else "none for kind=GRID: it tries every combination"
        fits = (self.trials is not None and self.trials >= 1) if drawn else self.trials is None
        require(fits, "trials", self.trials, expected)
        require(self.batch >= 1, "batch", self.batch, "at least 1")


@dataclass
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

    rungs: list[int] = field(default_factory=list)
    keep: float = 0.5

    def __post_init__(self) -> None:
        """Check that rungs rise and that somebody goes on."""
        rising = self.rungs == sorted(set(self.rungs)) and all(rung >= 1 for rung in self.rungs)
        require(rising, "rungs", self.rungs, "whole numbers from 1, each greater than the one before")
        require(0 < self.keep < 1, "keep", self.keep, "a share above 0 and below 1")


@dataclass
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

    candidates: dict[str, Model] = field(default_factory=dict)
    metric: Metric = Metric.ROC_AUC
    split: Split = field(default_factory=Split)
    proposals: Proposals = field(default_factory=Proposals)
    stopping: Stopping = field(default_factory=Stopping)
    sample: TrainingSample = field(default_factory=TrainingSample)
    minutes: float | None = None
    final_days: int = 28
    stand_in: str | None = None
    block_days: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the counts, and that there is a baseline and something to compare with it."""
        require(self.final_days >= 1, "final_days", self.final_days, "at least 1")
        require(self.block_days is None or self.block_days >= 1, "block_days", self.block_days, "at least 1, or none")
        require(self.minutes is None or self.minutes > 0, "minutes", self.minutes, "more than 0, or none")
        within = all(rung < self.split.folds for rung in self.stopping.rungs)
        require(within, "stopping.rungs", self.stopping.rungs, f"fewer folds than all {self.split.folds}")
        require_names("candidates", self.candidates)
        baselines = [name for name, model in self.candidates.items() if model.baseline]
        require(len(baselines) > 0, "candidates", sorted(self.candidates), "at least one with baseline: true")
        require(len(baselines) < len(self.candidates), "candidates", baselines, "at least one that is no baseline")
        plain = [name for name in baselines if not self.candidates[name].space]
        require(
            self.stand_in in (None, *plain), "stand_in", self.stand_in, f"none, or a baseline without a space: {plain}"
        )
        for name, model in self.candidates.items():
            self._check_members(name, model)

    def days_of_block(self, label: Label) -> int:
        """The dates, at least, that count as one in intervals."""
        return self.block_days or label.shared_days()

    def inner_depth(self) -> int:
        """How deep its candidates learn from out-of-fold predictions, see `Model.inner_depth`."""
        return max(model.inner_depth(self.candidates) for model in self.candidates.values())

    def self_trains(self) -> bool:
        """Whether a candidate uses rows without a label."""
        return any(model.self_training.floor is not None for model in self.candidates.values())

    def _check_members(self, name: str, model: Model) -> None:
        for member in model.members:
            where = f"candidates.{name}.members"
            require(member in self.candidates and member != name, where, member, f"one of {sorted(self.candidates)}")
            plain = not self.candidates[member].space and not self.candidates[member].members
            require(plain, where, member, "a candidate without a space and without members of its own")
            alone = self.candidates[member].self_training.floor is None
            require(alone, where, member, "a candidate without self_training: give it to the ensemble")

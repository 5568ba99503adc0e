"""Points that Optuna's tree-structured Parzen estimator proposes, batch by batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from nightjar.learning.search.candidates import Candidate, chosen
from nightjar.learning.search.proposals import Batches, Reached, by_key
from nightjar.settings.learning import Search
from nightjar.settings.model import Range, dimension

OPTUNAS_FIRST = 10
"""Points that are drawn at random before results count, unless the first batch is smaller. Optuna's own choice."""


def estimated(search: Search, names: Sequence[str], others: list[Candidate]) -> Batches:
    """Optuna proposes for each model by itself, from the results of all batches before; the others join the first."""
    studies = {name: _study(search, name) for name in names}
    trials, size = search.proposals.trials or 0, search.proposals.batch
    told: dict[str, Reached] = {}
    for start in range(0, trials, size):
        asked = {
            chosen(search, name, number + 1, _parameters(search, name, trial)): (study, trial)
            for name, study in studies.items()
            for number in range(start, min(start + size, trials))
            for trial in [study.ask(_distributions(search, name))]
        }
        new = {key: one for key, one in by_key([*(others if start == 0 else []), *asked]).items() if key not in told}
        reached = (yield list(new.values())) if new else {}
        told |= {key: reached[candidate] for key, candidate in new.items()}
        for candidate, (study, trial) in asked.items():
            _tell(study, trial, told[candidate.key()])


def _study(search: Search, name: str) -> optuna.Study:
    seed = int(np.random.SeedSequence([search.seed, list(search.candidates).index(name)]).generate_state(1)[0])
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    first = min(OPTUNAS_FIRST, search.proposals.batch)
    return optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=first)
    )


def _distributions(search: Search, name: str) -> dict[str, BaseDistribution]:
    return {parameter: _distribution(dimension(parameter, tried)) for parameter, tried in _space(search, name).items()}


def _space(search: Search, name: str) -> dict[str, Any]:
    return search.candidates[name].space


def _distribution(found: list[Any] | Range) -> BaseDistribution:
    if isinstance(found, list):
        return CategoricalDistribution(range(len(found)))  # by place: values may be lists
    if found.whole:
        return IntDistribution(int(found.low), int(found.high), log=found.log)
    return FloatDistribution(found.low, found.high, log=found.log)


def _parameters(search: Search, name: str, trial: optuna.Trial) -> dict[str, Any]:
    space = {parameter: dimension(parameter, tried) for parameter, tried in _space(search, name).items()}
    return {
        parameter: found[trial.params[parameter]] if isinstance(found, list) else trial.params[parameter]
        for parameter, found in space.items()
    }


def _tell(study: optuna.Study, trial: optuna.Trial, reached: Reached) -> None:
    """A stopped candidate tells what it reached, and weighs less than any that went further; a failed one least."""
    values = [value for value in reached.values if value is not None]
    failed = len(values) < len(reached.values)
    for step in range(1, 1 if failed else len(values) + 1):
        trial.report(float(np.mean(values[:step])), step)
    if not failed and len(values) == reached.folds:
        study.tell(trial, float(np.mean(values)))
    else:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)

"""Points that Optuna's tree-structured Parzen estimator proposes, batch by batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from nightjar.learning.fitting.candidates import Candidate, candidate_at
from nightjar.learning.search.fold_tasks import FoldValues
from nightjar.learning.search.proposals import Batches, by_key
from nightjar.settings.learning import Search
from nightjar.settings.model import Range

OPTUNAS_FIRST = 10
"""Random points before the estimator proposes any, unless the first batch is smaller. Optuna's own default."""


def tpe_batches(search: Search, names: Sequence[str], others: list[Candidate]) -> Batches:
    """Optuna proposes for each model by itself, from the results of earlier batches; `others` join the first batch."""
    studies = {name: _study(search, name) for name in names}
    trials, size = search.proposals.trials or 0, search.proposals.batch
    values_by_key: dict[str, FoldValues] = {}
    for start in range(0, trials, size):
        trial_of = {
            candidate_at(search, name, number + 1, _parameters(search, name, trial)): (study, trial)
            for name, study in studies.items()
            for number in range(start, min(start + size, trials))
            for trial in [study.ask(_distributions(search, name))]
        }
        new = {
            key: candidate
            for key, candidate in by_key([*(others if start == 0 else []), *trial_of]).items()
            if key not in values_by_key
        }
        values = (yield list(new.values())) if new else {}
        values_by_key |= {key: values[candidate] for key, candidate in new.items()}
        for candidate, (study, trial) in trial_of.items():
            _tell(study, trial, values_by_key[candidate.key()])


def _study(search: Search, name: str) -> optuna.Study:
    seed = int(np.random.SeedSequence([search.seed, list(search.candidates).index(name)]).generate_state(1)[0])
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    first = min(OPTUNAS_FIRST, search.proposals.batch)
    return optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=first)
    )


def _distributions(search: Search, name: str) -> dict[str, BaseDistribution]:
    return {parameter: _distribution(domain) for parameter, domain in search.candidates[name].space.items()}


def _distribution(domain: list[Any] | Range) -> BaseDistribution:
    if isinstance(domain, list):
        return CategoricalDistribution(range(len(domain)))  # by position: values may be lists
    if domain.whole:
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log)
    return FloatDistribution(domain.low, domain.high, log=domain.log)


def _parameters(search: Search, name: str, trial: optuna.Trial) -> dict[str, Any]:
    return {
        parameter: domain[trial.params[parameter]] if isinstance(domain, list) else trial.params[parameter]
        for parameter, domain in search.candidates[name].space.items()
    }


def _tell(study: optuna.Study, trial: optuna.Trial, fold_values: FoldValues) -> None:
    """Report a trial. A stopped candidate weighs less than any that ran on more folds; a failed one least."""
    values = [value for value in fold_values.values if value is not None]
    failed = len(values) < len(fold_values.values)
    for step in range(1, 1 if failed else len(values) + 1):
        trial.report(float(np.mean(values[:step])), step)
    if not failed and len(values) == fold_values.folds:
        study.tell(trial, float(np.mean(values)))
    else:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)

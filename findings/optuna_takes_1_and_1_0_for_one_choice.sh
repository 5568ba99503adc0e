#!/usr/bin/env bash
# Optuna 5.0.0: of the choices 1 and 1.0 the study remembers 1, whichever the objective was given.
#
# Versions: Python 3.11, optuna 5.0.0, scikit-learn 1.9.1, NumPy 2.4.6.
# Expectation: best_params are the values that the objective got: training with them gives the model that was measured.
#   scikit-learn's max_features=1 is one feature and 1.0 is all of them, as min_samples_leaf=1 is one row and 1.0 all rows,
#   so a list of choices may well have both; Optuna accepts it without a word.
# Behaviour: a choice is stored as its place in the list, which is looked up by Python's ==, so 1.0 and True are stored as
#   the 1 that stands first. The objective gets 1.0, trial.params, best_params and what a sampler learns from say 1, in
#   memory and in a database. Here the best trial is one of all features, and the tree of its best_params errs by far more.
# Output seen:
#   objective got 1.0 in the best trial, best_params say 1
#   error measured 0.02, error of a tree with best_params 0.77
#   values given: 1 16 times, 1.0 19 times; values remembered: 1 35 times
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check optuna==5.0.0 scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import numpy as np
import optuna
from sklearn.tree import DecisionTreeRegressor

optuna.logging.set_verbosity(optuna.logging.ERROR)
rng = np.random.default_rng(0)
features = rng.normal(size=(600, 8))
label = features[:, 0] + 0.1 * rng.normal(size=600)


def error(max_features):
    tree = DecisionTreeRegressor(max_features=max_features, min_samples_leaf=5, random_state=0)
    return ((tree.fit(features[:300], label[:300]).predict(features[300:]) - label[300:]) ** 2).mean()


def objective(trial):
    given.append(trial.suggest_categorical("max_features", [1, 1.0, "sqrt"]))
    return error(given[-1])


given = []
study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
study.optimize(objective, n_trials=60)
best = study.best_params["max_features"]
print(f"objective got {given[study.best_trial.number]} in the best trial, best_params say {best}")
print(f"error measured {study.best_value:.2f}, error of a tree with best_params {error(best):.2f}")
remembered = [trial.params["max_features"] for trial in study.trials]
times = [sum(repr(one) == value for one in seen) for seen, value in ((given, "1"), (given, "1.0"), (remembered, "1"))]
print("values given: 1 {} times, 1.0 {} times; values remembered: 1 {} times".format(*times))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="objective got 1.0 in the best trial, best_params say 1
error measured 0.02, error of a tree with best_params 0.77
values given: 1 16 times, 1.0 19 times; values remembered: 1 35 times"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

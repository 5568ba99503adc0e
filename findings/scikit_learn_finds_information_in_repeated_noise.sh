#!/usr/bin/env bash
# scikit-learn 1.9.1: rows that stand several times make mutual_info_classif find information in pure noise.
#
# Versions: Python 3.11, scikit-learn 1.9.1, imbalanced-learn 0.14.2, NumPy 2.4.6.
# Expectation: noise that says nothing about the label has a mutual information near 0. Repeating rows, as an oversampler
#   does, repeats what is known; it tells nothing new. The functions take no weights, so repeating is the way to weight.
# Behaviour: the estimate for continuous features counts how far the nearest three rows of the same class are. A copy is at
#   distance 0 and of the same label, so each column looks as if its values told the label. The tiny noise that is added
#   against equal values only orders the copies. Counts of discrete features are right, so noise outranks them. With
#   mutual_info_regression the estimate exceeds any sensible one.
# Output seen:
#   as they are: noise 0.0203, flag 0.0398
#   after RandomOverSampler: noise 0.507, flag 0.105, the label's own entropy 0.693
#   SelectKBest(k=1) takes flag, after RandomOverSampler noise
#   regression on noise: once 0.0, each row twice 0.731, four times 6.53
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  scikit-learn==1.9.1 imbalanced-learn==0.14.2 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
from functools import partial

import numpy as np
from imblearn.over_sampling import RandomOverSampler
from sklearn.feature_selection import SelectKBest, mutual_info_classif, mutual_info_regression

rng = np.random.default_rng(0)
noise, label = rng.normal(size=600), (rng.random(600) < 0.1).astype(int)
flag = np.where(rng.random(600) < 0.75, label, 1 - label)
rows = np.column_stack([noise, flag])
score = partial(mutual_info_classif, discrete_features=[False, True], random_state=0)


def information(rows, label):
    return "noise {:.3}, flag {:.3}".format(*score(rows, label))


def chosen(rows, label):
    return ["noise", "flag"][SelectKBest(score, k=1).fit(rows, label).get_support().argmax()]


more = RandomOverSampler(random_state=0).fit_resample(rows, label)
shares = np.bincount(more[1]) / len(more[1])
print("as they are:", information(rows, label))
print(f"after RandomOverSampler: {information(*more)}, the label's own entropy {-(shares * np.log(shares)).sum():.3}")
print(f"SelectKBest(k=1) takes {chosen(rows, label)}, after RandomOverSampler {chosen(*more)}")
other = rng.normal(size=600)
once, twice, four = (
    float(mutual_info_regression(noise.repeat(times)[:, None], other.repeat(times), random_state=0)[0])
    for times in (1, 2, 4)
)
print(f"regression on noise: once {once:.3}, each row twice {twice:.3}, four times {four:.3}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="as they are: noise 0.0203, flag 0.0398
after RandomOverSampler: noise 0.507, flag 0.105, the label's own entropy 0.693
SelectKBest(k=1) takes flag, after RandomOverSampler noise
regression on noise: once 0.0, each row twice 0.731, four times 6.53"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

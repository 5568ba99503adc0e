#!/usr/bin/env bash
# scikit-learn 1.9.1: scalers leave a column of small numbers as it is, without a word.
#
# Versions: Python 3.11 or newer, scikit-learn 1.9.1, NumPy 2.4.6.
# Expectation: MinMaxScaler brings 0, 1 and 4 to 0, 0.25 and 1 in whatever unit they are, and RobustScaler gives the same
#   numbers for 0, 1 and 4 farads as for attofarads: each is defined by what does not depend on a unit.
# Behaviour: a range (RobustScaler: an interquartile range) below 10 times the float64 epsilon, 2.2e-15, is taken for that
#   of a constant and replaced by 1. Whatever comes after sees a column of zeros: a regularised model learns nothing from
#   it. StandardScaler does so where the variance is too small for a float64, from deviations of about 1e-162.
# Output seen:
#   MinMaxScaler 1e-15 [0.0, 0.25, 1.0]
#   MinMaxScaler 1e-18 [0.0, 1e-18, 4e-18]
#   RobustScaler 1e-14 [-0.5, 0.0, 1.5]
#   RobustScaler 1e-18 [-1e-18, 0.0, 3e-18]
#   StandardScaler 1e-160 [-0.98, -0.39, 1.37]
#   StandardScaler 1e-170 [-0.0, -0.0, 0.0]
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/scale.py" <<'PY'
import numpy as np
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

column = np.array([[0.0], [1.0], [4.0]])
for scaler, units in ((MinMaxScaler, (1e-15, 1e-18)), (RobustScaler, (1e-14, 1e-18)), (StandardScaler, (1e-160, 1e-170))):
    for unit in units:
        scaled = scaler().fit_transform(column * unit).ravel()
        shown = scaled.round(2) if scaler is StandardScaler else np.array([float(f"{one:.3g}") for one in scaled])
        print(scaler.__name__, unit, shown.tolist())
PY
seen=$("$folder/venv/bin/python" "$folder/scale.py")
echo "$seen"
expected="MinMaxScaler 1e-15 [0.0, 0.25, 1.0]
MinMaxScaler 1e-18 [0.0, 1e-18, 4e-18]
RobustScaler 1e-14 [-0.5, 0.0, 1.5]
RobustScaler 1e-18 [-1e-18, 0.0, 3e-18]
StandardScaler 1e-160 [-0.98, -0.39, 1.37]
StandardScaler 1e-170 [-0.0, -0.0, 0.0]"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

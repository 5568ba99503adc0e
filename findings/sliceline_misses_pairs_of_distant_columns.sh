#!/usr/bin/env bash
# sliceline 0.3.0: of more than 15 columns it never looks at slices whose columns lie far apart.
#
# Versions: Python 3.11, sliceline 0.3.0, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1; with and without numba 0.68.1.
# Expectation: the worst slice is found, in whichever columns it lies: all errors are in it, and no other is allowed.
# Behaviour: each candidate gets a number that has its levels as digits, one for each column, as a float64. With 30 columns
#   of 10 levels it has 31 decimal digits, of which a float64 keeps 16: candidates that differ in the second of two columns
#   that are 16 or more apart get one number, are taken for one slice with too many parents, and all of them are dropped.
#   Nothing says so. So what is found depends on the order of the columns.
# Output seen:
#   all errors where c0 = 3 and c10 = 7: {0: 3, 10: 7}
#   all errors where c0 = 3 and c29 = 7: {16: 9, 29: 7}
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sliceline==0.3.0 numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1
cat >"$folder/look.py" <<'PY'
import numpy as np
from sliceline.slicefinder import Slicefinder

rows = np.random.default_rng(0).integers(0, 10, (2000, 30))
for second in (10, 29):
    errors = ((rows[:, 0] == 3) & (rows[:, second] == 7)).astype(float)
    finder = Slicefinder(alpha=0.95, k=1, max_l=2, min_sup=10, verbose=False).fit(rows, errors)
    slices = [{column: int(level) for column, level in enumerate(one) if level is not None} for one in finder.top_slices_]
    print(f"all errors where c0 = 3 and c{second} = 7:", *slices)
PY
"$folder/venv/bin/python" "$folder/look.py"

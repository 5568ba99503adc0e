#!/usr/bin/env bash
# skops 0.16.0: importing skops.io imports dask.array, CuPy and PyTorch wherever they are installed.
#
# Versions: Python 3.11 or newer, skops 0.16.0, scikit-learn 1.9.1, dask 2026.8.0.
# Expectation: to open a file with a logistic regression, skops imports what that is made of. scikit-learn itself leaves
#   array libraries alone until an array of theirs is given to it.
# Behaviour: on import, skops asks sklearn.utils.all_estimators for its list of trusted types. That skips the modules of
#   sklearn.externals, but pkgutil.walk_packages, by which it looks for them, imports every package on its way, among them
#   sklearn.externals.array_api_compat.dask, .cupy and .torch, which import the library of that name; where there is none,
#   the error is passed over. Beside PyTorch 2.15.0 the import took 2.4 s of processor time instead of 0.7, and every
#   process that opens a model has all of torch in its memory.
# Output seen:
#   after scikit-learn: dask.array is not imported
#   after skops.io: dask.array is imported
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check skops==0.16.0 scikit-learn==1.9.1 'dask[array]==2026.8.0'
cat >"$folder/look.py" <<'PY'
import sys

from sklearn.linear_model import LogisticRegression

is_there = {True: "is", False: "is not"}
LogisticRegression().fit([[0.0], [1.0]], [0, 1])
print(f"after scikit-learn: dask.array {is_there['dask.array' in sys.modules]} imported")
import skops.io

print(f"after skops.io: dask.array {is_there['dask.array' in sys.modules]} imported")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="after scikit-learn: dask.array is not imported
after skops.io: dask.array is imported"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

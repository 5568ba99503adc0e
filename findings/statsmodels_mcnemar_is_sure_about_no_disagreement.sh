#!/usr/bin/env bash
# statsmodels 0.15.0: McNemar's test says p = 0 of two classifiers that never disagree.
#
# Versions: Python 3.11, statsmodels 0.15.0, SciPy 1.17.1, NumPy 2.4.6.
# Expectation: two models that are right on the same rows give no evidence of a difference: p is 1, as with exact=True, or
#   undefined. With a continuity correction p is never less than without it, as the correction makes the test cautious.
# Behaviour: the corrected statistic of mcnemar(table, exact=False), whose correction is on, is (|0 - 0| - 1)^2 / 0, so
#   infinite, and p is 0: a loop over models reports the copy of the champion as the surest difference of all; NumPy's
#   warning of a division by zero is shown once. Where both disagree equally often, the correction is taken from nothing,
#   too: one row each way gives p = 0.48 where the uncorrected p is 1.
# Output seen:
#   no disagreement: exact 1.0, corrected 0.0, uncorrected nan
#   1 and 1: exact 1.0, corrected 0.48, uncorrected 1.0
#   20 and 20: exact 1.0, corrected 0.874, uncorrected 1.0
#   8 and 4: exact 0.388, corrected 0.386, uncorrected 0.248
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 scipy==1.17.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
from statsmodels.stats.contingency_tables import mcnemar

cases = {"no disagreement": (0, 0), "1 and 1": (1, 1), "20 and 20": (20, 20), "8 and 4": (8, 4)}
ways = {"exact": {"exact": True}, "corrected": {"exact": False}, "uncorrected": {"exact": False, "correction": False}}
for name, (only_first, only_second) in cases.items():
    table = [[50, only_first], [only_second, 50]]
    print(f"{name}:", ", ".join(f"{way} {mcnemar(table, **options).pvalue:.3}" for way, options in ways.items()))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
echo "$seen"
expected="no disagreement: exact 1.0, corrected 0.0, uncorrected nan
1 and 1: exact 1.0, corrected 0.48, uncorrected 1.0
20 and 20: exact 1.0, corrected 0.874, uncorrected 1.0
8 and 4: exact 0.388, corrected 0.386, uncorrected 0.248"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

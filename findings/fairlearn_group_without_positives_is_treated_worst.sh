#!/usr/bin/env bash
# Fairlearn 0.15.0: a group in which nobody is positive has a true positive rate of 0, and is the unfairness reported.
#
# Versions: Python 3.11, fairlearn 0.15.0, scikit-learn 1.9.1, pandas 2.3.3, NumPy 2.4.6.
# Expectation: the rate of true positives among no positives is undefined: NaN, or a warning as scikit-learn's recall_score
#   gives. The true positive and the false negative rate of a group sum to 1. A group of which nothing can be said about
#   the positives adds nothing to the difference between groups.
# Behaviour: both rates are 0, without a warning, as the false positive and true negative rate are in a group without
#   negatives. So equal_opportunity_difference and equalized_odds_difference of a model that errs nowhere are 1, the
#   greatest possible, and the ratios 0, as soon as one small group has no positive row.
# Output seen:
#   rates of group c: tpr 0.0, fnr 0.0, warnings 0
#   without group c: opportunity 0.0, odds 0.0, ratio 1.0
#   with group c: opportunity 1.0, odds 1.0, ratio 0.0
#   with one more row in c, positive and found: opportunity 0.0, odds 0.0, ratio 1.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  fairlearn==0.15.0 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import warnings

from fairlearn import metrics

group = ["a"] * 4 + ["b"] * 4 + ["c"] * 3 + ["c"]
truth = [0, 0, 1, 1] + [0, 1, 1, 1] + [0, 0, 0] + [1]


def look(name, rows):
    data = {"y_true": truth[:rows], "y_pred": truth[:rows], "sensitive_features": group[:rows]}
    opportunity = float(metrics.equal_opportunity_difference(**data))
    odds, ratio = float(metrics.equalized_odds_difference(**data)), float(metrics.equal_opportunity_ratio(**data))
    print(f"{name}: opportunity {opportunity}, odds {odds}, ratio {ratio}")


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    none, found = [0, 0, 0], [0, 0, 0]
    tpr, fnr = (float(rate(none, found)) for rate in (metrics.true_positive_rate, metrics.false_negative_rate))
    print(f"rates of group c: tpr {tpr}, fnr {fnr}, warnings {len(caught)}")
    look("without group c", 8)
    look("with group c", 11)
    look("with one more row in c, positive and found", 12)
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="rates of group c: tpr 0.0, fnr 0.0, warnings 0
without group c: opportunity 0.0, odds 0.0, ratio 1.0
with group c: opportunity 1.0, odds 1.0, ratio 0.0
with one more row in c, positive and found: opportunity 0.0, odds 0.0, ratio 1.0"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

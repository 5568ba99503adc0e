#!/usr/bin/env bash
# LightGBM 4.7.0: numbers nearer to zero than 1e-35 are zero, so that a model learns nothing from a column of likelihoods.
#
# Versions: Python 3.11, lightgbm 4.7.0, scikit-learn 1.9.1, numpy 2.4.6.
# Expectation: trees split by order alone, so that a column and any increasing function of it make the same splits. Double
#   precision tells numbers apart down to 2e-308: likelihoods of sequences, or p-values, are often below 1e-40.
# Behaviour: whatever lies within 1e-35 of zero is read as zero, in training and in predicting, without a word. Of a column
#   of likelihoods from 1e-60 to 1e-36, whose order alone tells the classes apart, a classifier learns nothing, and all rows
#   get one score; from its logarithm it learns all. scikit-learn's boosting learns all from either.
# Output seen:
#   lightgbm: ROC AUC 0.500 from the likelihood (1 score), 1.000 from its logarithm
#   scikit-learn: ROC AUC 1.000 from the likelihood, 1.000 from its logarithm
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightgbm==4.7.0 scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import numpy as np
from lightgbm import LGBMClassifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

logarithm = np.random.default_rng(0).uniform(-60, -36, 2000)[:, np.newaxis]
likelihood, outcome = 10.0**logarithm, logarithm[:, 0] > -48


def scores(model, column):
    return model.fit(column, outcome).predict_proba(column)[:, 1]


def auc(model, column):
    return roc_auc_score(outcome, scores(model, column))


boosting = LGBMClassifier(n_estimators=20, verbose=-1)
different = len(np.unique(scores(boosting, likelihood)))
plain, of_logarithm = auc(boosting, likelihood), auc(boosting, logarithm)
print(f"lightgbm: ROC AUC {plain:.3f} from the likelihood ({different} score), {of_logarithm:.3f} from its logarithm")
other = HistGradientBoostingClassifier(max_iter=20)
plain, of_logarithm = auc(other, likelihood), auc(other, logarithm)
print(f"scikit-learn: ROC AUC {plain:.3f} from the likelihood, {of_logarithm:.3f} from its logarithm")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
printf '%s\n' "$seen"
expected="lightgbm: ROC AUC 0.500 from the likelihood (1 score), 1.000 from its logarithm
scikit-learn: ROC AUC 1.000 from the likelihood, 1.000 from its logarithm"
[[ $seen == "$expected" ]] || { echo "this has changed" >&2; exit 1; }

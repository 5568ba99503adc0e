#!/usr/bin/env bash
# shap 0.51.0, treelite 4.8.1 and XGBoost 3.2.0: after early stopping they speak of two models, and each of its own.
#
# Versions: Python 3.11, xgboost-cpu 3.2.0, shap 0.51.0, treelite 4.8.1, scikit-learn 1.9.1, NumPy 2.4.6.
# Expectation: shap's values and their base sum to the model's prediction, which shap checks itself. A saved model that
#   treelite loads predicts what the model predicted before it was saved.
# Behaviour: an early-stopped booster keeps the trees after its best round. Booster.predict uses all of them, but shap
#   explains the trees up to the best round, so its values of a Booster sum to another score than the Booster's, and the
#   check passes. XGBClassifier predicts by the best round, but its feature_importances_ are those of all trees, and
#   treelite, which loads the file that save_model wrote, predicts with all.
# Output seen:
#   trees kept 12, up to the best round 7, greatest difference of the two predictions 0.164
#   Booster: predict all, pred_contribs all, shap best
#   XGBClassifier: predict best, shap best, treelite all, feature_importances_ all
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  xgboost-cpu==3.2.0 shap==0.51.0 treelite==4.8.1 scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import sys

import numpy as np
import shap
import treelite
import xgboost as xgb

rng = np.random.default_rng(0)
features = rng.normal(size=(400, 2)).astype(np.float32)
label = (features[:, 0] + rng.normal(size=400) > 0).astype(int)
train, rows = features[:300], features[300:]
model = xgb.XGBClassifier(n_estimators=200, early_stopping_rounds=5, n_jobs=1, learning_rate=0.5)
model.fit(train, label[:300], eval_set=[(rows, label[300:])], verbose=False)
model.save_model(sys.argv[1])
booster = xgb.Booster(model_file=sys.argv[1])
matrix, kept, best = xgb.DMatrix(rows), booster.num_boosted_rounds(), booster.best_iteration + 1
scores = {name: booster.predict(matrix, iteration_range=(0, end)) for name, end in (("all", kept), ("best", best))}
gain = {name: one.get_score(importance_type="gain") for name, one in (("all", booster), ("best", booster[:best]))}


def which(seen, known):
    return next((name for name, one in known.items() if np.allclose(seen, one, atol=1e-4)), "neither")


def explained(what):
    values = shap.TreeExplainer(what)(rows)
    return 1 / (1 + np.exp(-values.values.sum(axis=1) - values.base_values))


contributions = 1 / (1 + np.exp(-booster.predict(matrix, pred_contribs=True).sum(axis=1)))
loaded = treelite.gtil.predict(treelite.frontend.load_xgboost_model(sys.argv[1]), rows).ravel()
importances = {name: np.array([one["f0"], one["f1"]]) / (one["f0"] + one["f1"]) for name, one in gain.items()}
apart = np.abs(scores["all"] - scores["best"]).max()
print(f"trees kept {kept}, up to the best round {best}, greatest difference of the two predictions {apart:.3f}")
told = {"predict": booster.predict(matrix), "pred_contribs": contributions, "shap": explained(booster)}
print("Booster:", ", ".join(f"{name} {which(seen, scores)}" for name, seen in told.items()))
told = {"predict": model.predict_proba(rows)[:, 1], "shap": explained(model), "treelite": loaded}
print("XGBClassifier:", ", ".join(f"{name} {which(seen, scores)}" for name, seen in told.items()), end=", ")
print("feature_importances_", which(model.feature_importances_, importances))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" "$folder/model.json")
echo "$seen"
expected="trees kept 12, up to the best round 7, greatest difference of the two predictions 0.164
Booster: predict all, pred_contribs all, shap best
XGBClassifier: predict best, shap best, treelite all, feature_importances_ all"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

#!/usr/bin/env bash
# MLflow 3.17.2: with sample weights, evaluate's mean_on_target is no mean, and precision is not that of its own counts.
#
# Versions: Python 3.11, mlflow 3.17.2, scikit-learn 1.9.1, pandas 2.3.3, NumPy 2.4.6.
# Expectation: evaluator_config={"sample_weights": ...} weights what is logged: equal weights change nothing, mean_on_target
#   lies between the least and the greatest target, and precision is true_positives / (true_positives + false_positives).
# Behaviour: mean_on_target divides the weighted sum by the number of rows, not by the sum of weights: with weights of 10 it
#   is ten times the mean. The errors and r2_score beside it are right. The true and false positives and negatives are
#   counts of rows, while precision, recall, f1 and accuracy of the same run are weighted.
# Output seen:
#   targets 1 to 4: no weights 2.5, all 10 25.0, all 0.1 0.25
#   weights 3, 1, 1, 1: mean_on_target 3.0, weighted mean 2.0
#   classifier: precision_score 0.75, of its counts 0.5
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  mlflow==3.17.2 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import sys

import mlflow
import numpy as np
import pandas as pd

mlflow.set_tracking_uri(f"sqlite:///{sys.argv[1]}/runs.db")
experiment = mlflow.create_experiment("look", artifact_location=sys.argv[1])


def evaluate(model_type, targets, predictions, weights):
    data = pd.DataFrame({"target": targets, "prediction": predictions})
    options = {"log_model_explainability": False, **({"sample_weights": weights} if weights else {})}
    with mlflow.start_run(experiment_id=experiment):
        return mlflow.models.evaluate(
            data=data, targets="target", predictions="prediction", model_type=model_type, evaluator_config=options
        ).metrics


def mean(weights):
    return round(float(evaluate("regressor", [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 5.0], weights)["mean_on_target"]), 6)


print(f"targets 1 to 4: no weights {mean(None)}, all 10 {mean([10.0] * 4)}, all 0.1 {mean([0.1] * 4)}")
some = [3.0, 1.0, 1.0, 1.0]
print(f"weights 3, 1, 1, 1: mean_on_target {mean(some)}, weighted mean {np.average([1, 2, 3, 4], weights=some)}")
seen = evaluate("classifier", [1, 0, 0, 1], [1, 1, 0, 0], some)
counted = seen["true_positives"] / (seen["true_positives"] + seen["false_positives"])
print(f"classifier: precision_score {seen['precision_score']}, of its counts {counted}")
PY
seen=$(cd "$folder" && venv/bin/python look.py "$folder" 2>/dev/null)
echo "$seen"
expected="targets 1 to 4: no weights 2.5, all 10 25.0, all 0.1 0.25
weights 3, 1, 1, 1: mean_on_target 3.0, weighted mean 2.0
classifier: precision_score 0.75, of its counts 0.5"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

#!/usr/bin/env bash
# Spark 4.2.0: the area under the ROC curve is 1 where all labels are positive and 0 where all are negative.
#
# Versions: Python 3.11, Java 17, pyspark 4.2.0, scikit-learn 1.9.1, NumPy 2.4.6.
# Expectation: with one class there are no pairs to order, so the area is undefined: NaN as from scikit-learn, null or an
#   error. At most it is 0.5, what scores that say nothing have.
# Behaviour: BinaryClassificationEvaluator takes a rate among no rows for 0. Then the curve runs along the left edge, which
#   adds up to 1, or along the bottom, which adds up to 0, whatever the scores are. A mean over days or groups takes in a
#   perfect model for each that has no negatives and the worst possible for each that has no positives; a fold
#   without positives counts as 0 in CrossValidator's average, too.
# Output seen:
#   scores 0.2, 0.5, 0.9 of positives: Spark 1.0, scikit-learn nan
#   scores 0.9, 0.5, 0.2 of positives: Spark 1.0, scikit-learn nan
#   scores 0.2, 0.5, 0.9 of negatives: Spark 0.0, scikit-learn nan
#   scores 0.2, 0.2, 0.2 of both: Spark 0.5, scikit-learn 0.5
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.sql import SparkSession
from sklearn.metrics import roc_auc_score

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
evaluator = BinaryClassificationEvaluator(metricName="areaUnderROC")
up = [0.2, 0.5, 0.9]
for name, scores, labels in (
    ("positives", up, [1.0, 1.0, 1.0]),
    ("positives", up[::-1], [1.0, 1.0, 1.0]),
    ("negatives", up, [0.0, 0.0, 0.0]),
    ("both", [0.2, 0.2, 0.2], [0.0, 1.0, 0.0]),
):
    rows = spark.createDataFrame(list(zip(labels, scores)), ["label", "rawPrediction"])
    shown = ", ".join(map(str, scores))
    print(f"scores {shown} of {name}: Spark {evaluator.evaluate(rows)}, scikit-learn {roc_auc_score(labels, scores)}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
echo "$seen"
expected="scores 0.2, 0.5, 0.9 of positives: Spark 1.0, scikit-learn nan
scores 0.9, 0.5, 0.2 of positives: Spark 1.0, scikit-learn nan
scores 0.2, 0.5, 0.9 of negatives: Spark 0.0, scikit-learn nan
scores 0.2, 0.2, 0.2 of both: Spark 0.5, scikit-learn 0.5"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

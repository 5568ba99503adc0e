#!/usr/bin/env bash
# Spark 4.2.0: R2 with weights is another number when every weight is multiplied by the same factor, and exceeds 1.
#
# Versions: Python 3.11, Java 17, pyspark 4.2.0, NumPy 2.4.6.
# Expectation: RegressionEvaluator(metricName="r2", weightCol="w") is 1 - sum(w (y - p)^2) / sum(w (y - mean)^2): equal
#   weights give what no weights give, whole numbers give what the rows repeated give, as its mse, mae and var do.
# Behaviour: the second sum is taken for the unbiased weighted variance times (sum of weights - 1), which are the same for
#   weights of 1 only. Weights that sum to 1 give minus infinity. Where they sum to less, R2 is above 1 and the worse
#   predictions have the greater one: a search for the best model, for which the evaluator is made, takes the worst. The
#   r2 of a LinearRegression's summary comes from the same sums.
# Output seen:
#   no weights: near 0.913, far 0.713, by hand 0.913 and 0.713
#   all 1: near 0.913, far 0.713, by hand 0.913 and 0.713
#   all 0.25: near -inf, far -inf, by hand 0.913 and 0.713
#   all 0.1: near 1.043, far 1.143, by hand 0.913 and 0.713
#   1, 2, 3, 1: near 0.879, far 0.713, by hand 0.85 and 0.645
#   the rows repeated so often: near 0.85, far 0.645, by hand 0.85 and 0.645
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import numpy as np
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
label, near, far = [1.0, 2.0, 4.0, 8.0], [1.5, 2.5, 3.0, 7.0], [3.0, 3.0, 3.0, 6.5]


def look(name, weights, repeat=None):
    table = np.repeat(np.array([label, near, far, weights or [1.0] * 4]).T, repeat or 1, axis=0)
    rows = spark.createDataFrame(table.tolist(), ["label", "near", "far", "w"])
    y, w = table[:, 0], table[:, 3]
    total = (w * (y - np.average(y, weights=w)) ** 2).sum()
    weighted = {"weightCol": "w"} if weights else {}
    seen = [RegressionEvaluator(metricName="r2", predictionCol=c, **weighted).evaluate(rows) for c in ("near", "far")]
    hand = [1 - (w * (y - p) ** 2).sum() / total for p in (table[:, 1], table[:, 2])]
    near_seen, far_seen, near_hand, far_hand = (round(float(one), 3) for one in seen + hand)
    print(f"{name}: near {near_seen}, far {far_seen}, by hand {near_hand} and {far_hand}")


look("no weights", None)
for weight in (1, 0.25, 0.1):
    look(f"all {weight}", [float(weight)] * 4)
look("1, 2, 3, 1", [1.0, 2.0, 3.0, 1.0])
look("the rows repeated so often", None, [1, 2, 3, 1])
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
echo "$seen"
expected="no weights: near 0.913, far 0.713, by hand 0.913 and 0.713
all 1: near 0.913, far 0.713, by hand 0.913 and 0.713
all 0.25: near -inf, far -inf, by hand 0.913 and 0.713
all 0.1: near 1.043, far 1.143, by hand 0.913 and 0.713
1, 2, 3, 1: near 0.879, far 0.713, by hand 0.85 and 0.645
the rows repeated so often: near 0.85, far 0.645, by hand 0.85 and 0.645"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

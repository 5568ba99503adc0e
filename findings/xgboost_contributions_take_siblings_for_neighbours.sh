#!/usr/bin/env bash
# xgboost 3.2.0: a model whose file numbers its nodes in another order predicts the same, and its contributions are wrong.
#
# Versions: Python 3.11, xgboost-cpu 3.2.0, numpy 2.4.6.
# Expectation: a node's children are named by `left_children` and `right_children`, so that the order of nodes means nothing;
#   contributions sum to the raw score.
# Behaviour: predictions follow both lists, and so are the same for any order. `pred_contribs=True` takes the right child for
#   the node after the left one: once nodes are numbered depth first, it weighs other nodes, and says nothing about it.
# Output seen:
#   as written:  predictions differ by 0.00, sums of contributions by 0.00
#   depth first: predictions differ by 0.00, sums of contributions by 0.85
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xgboost-cpu==3.2.0 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import json

import numpy as np
import xgboost

inputs = np.random.default_rng(0).normal(size=(1000, 3))
rows = xgboost.DMatrix(inputs, inputs[:, 0] + inputs[:, 1] * inputs[:, 2], nthread=1)
written = xgboost.train({"nthread": 1, "max_depth": 4}, rows, 1)
model = json.loads(bytes(written.save_raw("json")))
(tree,) = model["learner"]["gradient_booster"]["model"]["trees"]


def walk(node):
    lower, upper = tree["left_children"][node], tree["right_children"][node]
    return [node] if lower < 0 else [node, *walk(lower), *walk(upper)]


order = walk(0)
place = {node: at for at, node in enumerate(order)} | {-1: -1, 2**31 - 1: 2**31 - 1}
for key, values in tree.items():
    if isinstance(values, list) and len(values) == len(order):
        tree[key] = [values[node] for node in order]
for key in ("left_children", "right_children", "parents"):
    tree[key] = [place[node] for node in tree[key]]
depth_first = xgboost.Booster({"nthread": 1}, model_file=bytearray(json.dumps(model).encode()))
raw = written.predict(rows, output_margin=True)
for name, booster in (("as written: ", written), ("depth first:", depth_first)):
    predicted = np.abs(booster.predict(rows, output_margin=True) - raw).max()
    summed = np.abs(booster.predict(rows, pred_contribs=True).sum(axis=1) - raw).max()
    print(f"{name} predictions differ by {predicted:.2f}, sums of contributions by {summed:.2f}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="as written:  predictions differ by 0.00, sums of contributions by 0.00
depth first: predictions differ by 0.00, sums of contributions by 0.85"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

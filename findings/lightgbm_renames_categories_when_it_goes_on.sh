#!/usr/bin/env bash
# LightGBM 4.7.0: going on with a model on a batch that lacks a category gives each old tree's answers to other categories.
#
# Versions: Python 3.11, lightgbm 4.7.0, pandas 2.3.3, NumPy 2.4.6.
# Expectation: a Booster that was trained on a frame knows the names of its categories: predict gives the right answers for
#   a frame with fewer of them or in another order, as the documentation says. So do refit and train(init_model=...).
# Behaviour: both number the categories of the new frame anew and give the old trees those numbers. Where the new batch has
#   no "a", "b" is answered as "a" was, "c" as "b", and the new model keeps the new names, so each later prediction is wrong
#   by as much as its new trees do not make good. Nothing is said. The same happens where only the order differs, as it
#   does with astype("category") once a name that sorts first turns up. (A change for refit alone has been proposed to
#   LightGBM. XGBoost 3.2.0 refuses a batch of other categories.)
# Output seen:
#   truth, of b, c and d: 10, 20, 30
#   predict 10.0, 20.0, 30.0
#   refit 0.0, 10.0, 20.0
#   one more round 1.0, 11.0, 21.0
#   one more round, with the old model's names 10.0, 20.0, 30.0
#   one more round, names in another order 19.1, 10.9, 2.7
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lightgbm==4.7.0 pandas==2.3.3 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import lightgbm as lgb
import numpy as np
import pandas as pd

truth = {"a": 0.0, "b": 10.0, "c": 20.0, "d": 30.0}
names = np.array(list(truth) * 100)
later = names[names != "a"]
options = {"verbose": -1, "num_threads": 1, "min_data_per_group": 1, "cat_smooth": 0}


def frame(names, categories=None):
    return pd.DataFrame({"name": pd.Categorical(names, categories=categories)})


def target(names):
    return [truth[name] for name in names]


def show(what, predictions):
    print(f"{what} {', '.join(f'{one + 0.0:.1f}' for one in np.round(predictions, 1))}")


print("truth, of b, c and d: 10, 20, 30")
asked, batch = list("bcd"), (frame(later), target(later))
model = lgb.train(options, lgb.Dataset(frame(names), target(names)), 150)
show("predict", model.predict(frame(asked)))
show("refit", model.refit(*batch, decay_rate=1.0).predict(frame(asked)))
show("one more round", lgb.train(options, lgb.Dataset(*batch), 1, init_model=model).predict(frame(asked)))
for how, categories in (("with the old model's names", "abcd"), ("names in another order", "dcba")):
    data = lgb.Dataset(frame(names, list(categories)), target(names))
    predictions = lgb.train(options, data, 1, init_model=model).predict(frame(asked))
    show(f"one more round, {how}", predictions)
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="truth, of b, c and d: 10, 20, 30
predict 10.0, 20.0, 30.0
refit 0.0, 10.0, 20.0
one more round 1.0, 11.0, 21.0
one more round, with the old model's names 10.0, 20.0, 30.0
one more round, names in another order 19.1, 10.9, 2.7"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

#!/usr/bin/env bash
# scikit-learn 1.9.1: TargetEncoder, as it comes, does not shrink a category of one row at all.
#
# Versions: Python 3.11, scikit-learn 1.9.1, NumPy 2.4.6.
# Expectation: each category is encoded by "a shrunk estimate of the average target" (its documentation), smooth="auto"
#   chooses by how much from the data: the fewer rows, the nearer to the overall mean. A category of one row tells least.
# Behaviour: the strength of "auto" is the variance of the target within the category, over all of it (the user guide's
#   formula), which is 0 for one row and for rows of one class. So one row's own target becomes the encoding of all later
#   rows of its category, while that of 1,000 varied rows is shrunk a little. Where the category says nothing about the
#   target, that has twice the error of the overall mean. fit_transform hides it: it encodes rows by other folds, where
#   such a category is new.
# Output seen:
#   one row of 500: auto 500.0, smooth=1.0 400.0, overall mean 299.9
#   two rows of class 1: auto 1.0, smooth=1.0 0.8337, share of class 1 0.5
#   1,000 categories of one row each, pure noise, squared error on new rows: auto 2.0, smooth=1.0 1.24, overall mean 1.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import numpy as np
from sklearn.preprocessing import TargetEncoder


def encode(smooth, target_type, categories, target, asked):
    encoder = TargetEncoder(smooth=smooth, target_type=target_type).fit(np.array(categories)[:, None], target)
    return encoder.transform(np.array(asked)[:, None]).ravel()


def compare(target_type, categories, target, asked):
    auto, fixed = (encode(smooth, target_type, categories, target, [asked]).item() for smooth in ("auto", 1.0))
    return f"auto {auto:.4}, smooth=1.0 {fixed:.4}"


many = np.tile([200.0, 399.4], 500)
told = compare("continuous", ["many"] * 1000 + ["one"], [*many, 500.0], "one")
print(f"one row of 500: {told}, overall mean {np.mean([*many, 500.0]):.4}")
classes = [0, 1] * 500
told = compare("binary", ["many"] * 1000 + ["two"] * 2, [*classes, 1, 1], "two")
print(f"two rows of class 1: {told}, share of class 1 {np.mean([*classes, 1, 1]):.1}")

noise = np.random.default_rng(0).normal(size=(101, 1000))
categories = np.arange(1000).astype(str)
errors = {smooth: encode(smooth, "continuous", categories, noise[0], categories) for smooth in ("auto", 1.0)}
auto, fixed, mean = (((noise[1:] - one) ** 2).mean() for one in (*errors.values(), noise[0].mean()))
print("1,000 categories of one row each, pure noise, squared error on new rows:", end=" ")
print(f"auto {auto:.2}, smooth=1.0 {fixed:.3}, overall mean {mean:.2}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="one row of 500: auto 500.0, smooth=1.0 400.0, overall mean 299.9
two rows of class 1: auto 1.0, smooth=1.0 0.8337, share of class 1 0.5
1,000 categories of one row each, pure noise, squared error on new rows: auto 2.0, smooth=1.0 1.24, overall mean 1.0"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

#!/usr/bin/env bash
# river 0.26.1: the variance of an ADWIN window is a sum of squares, and its count of detections never passes 1.
#
# Versions: Python 3.11, river 0.26.1, numpy 2.4.6.
# Expectation: `ADWIN.variance` is what its docstring says, the sample variance within the window, and `n_detections` the
#   total number of changes that were detected, so that a report can show how wide a stream varies and how often it moved.
# Behaviour: `variance` is the sum of squared deviations, as many times too great as the window has values: 20,000 standard
#   normal numbers vary by 19,834. `n_detections` is forgotten with the window: a stream that steps up five times has one
#   detection at each step, and at its end the detector says 0, or 1 if the last value was the one that set it off.
# Output seen:
#   20000 values: variance 19834.16, divided by the width 0.99171, of NumPy 0.99171
#   5 steps: 5 detections seen, n_detections at most 1, at the end 0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check river==0.26.1 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import numpy as np
from river.drift import ADWIN

generator = np.random.default_rng(0)
generator.normal(size=2000)
values = generator.normal(size=20_000)
steady = ADWIN(delta=1e-9)
for value in values:
    steady.update(value)
divided = steady.variance / steady.width
print(f"{int(steady.width)} values: variance {steady.variance:.2f}, divided by the width {divided:.5f}, ", end="")
print(f"of NumPy {np.var(values):.5f}")

stepping, seen, counts = ADWIN(), 0, [0]
for value in np.concatenate([5 * step + generator.normal(size=500) for step in range(6)]):
    stepping.update(value)
    seen += stepping.drift_detected
    counts.append(stepping.n_detections)
print(f"5 steps: {seen} detections seen, n_detections at most {max(counts)}, at the end {counts[-1]}")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
printf '%s\n' "$seen"
expected="20000 values: variance 19834.16, divided by the width 0.99171, of NumPy 0.99171
5 steps: 5 detections seen, n_detections at most 1, at the end 0"
[[ $seen == "$expected" ]] || { echo "this has changed" >&2; exit 1; }

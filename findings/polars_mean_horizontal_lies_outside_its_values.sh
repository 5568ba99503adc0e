#!/usr/bin/env bash
# Polars 2.1.0: the mean of two small integers across columns is -28.0 for 100 and 100.
#
# Versions: Python 3.11, polars 2.1.0, pandas 2.3.3, NumPy 2.4.6.
# Expectation: mean_horizontal gives Float64, so nothing can overflow on the way: mean, rolling_mean and list.mean of the
#   same values are right for every integer type, and cum_sum_horizontal and sum widen small ones to Int64.
# Behaviour: mean_horizontal adds in the columns' own type, which wraps around without a word, and divides afterwards. Two
#   Int8 of 100, UInt8 of 200 or Int32 of 2 billion (amounts in cents, seconds) give a mean that lies outside the values;
#   so does DataFrame.mean_horizontal. sum_horizontal wraps likewise. pandas' mean(axis=1) is right.
# Output seen:
#   Int8 100, 100: mean 100.0, mean_horizontal -28.0, sum 200, sum_horizontal -56, pandas 100.0
#   UInt8 200, 200: mean 200.0, mean_horizontal 72.0, sum 400, sum_horizontal 144, pandas 200.0
#   Int16 30000, 30000: mean 30000.0, mean_horizontal -2768.0, sum 60000, sum_horizontal -5536, pandas 30000.0
#   Int32 2000000000, 2000000000: mean 2000000000.0, mean_horizontal -147483648.0, pandas 2000000000.0
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 pandas==2.3.3 numpy==2.4.6
cat >"$folder/look.py" <<'PY'
import numpy as np
import pandas as pd
import polars as pl

for dtype, value in ((pl.Int8, 100), (pl.UInt8, 200), (pl.Int16, 30_000), (pl.Int32, 2_000_000_000)):
    series = pl.Series([value, value], dtype=dtype)
    row = pl.DataFrame({"a": series[:1], "b": series[1:]})
    across = row.select(mean=pl.mean_horizontal("a", "b"), sum=pl.sum_horizontal("a", "b")).row(0, named=True)
    told = [f"mean {series.mean()}, mean_horizontal {across['mean']}"]
    if dtype != pl.Int32:  # whose sum stays Int32, too, as is documented
        told.append(f"sum {series.sum()}, sum_horizontal {across['sum']}")
    told.append(f"pandas {pd.DataFrame(np.array([[value, value]], str(dtype).lower())).mean(axis=1)[0]}")
    print(f"{dtype} {value}, {value}:", ", ".join(told))
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="Int8 100, 100: mean 100.0, mean_horizontal -28.0, sum 200, sum_horizontal -56, pandas 100.0
UInt8 200, 200: mean 200.0, mean_horizontal 72.0, sum 400, sum_horizontal 144, pandas 200.0
Int16 30000, 30000: mean 30000.0, mean_horizontal -2768.0, sum 60000, sum_horizontal -5536, pandas 30000.0
Int32 2000000000, 2000000000: mean 2000000000.0, mean_horizontal -147483648.0, pandas 2000000000.0"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

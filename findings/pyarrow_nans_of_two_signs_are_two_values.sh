#!/usr/bin/env bash
# PyArrow 25.0.1: NaN and NaN are two values for unique, group_by and join where one was computed and one written down.
#
# Versions: Python 3.11, pyarrow 25.0.1, NumPy 2.4.6, polars 2.1.0, duckdb 2.0.0; an x86-64 processor.
# Expectation: all NaN of a column are one value, or each is one of its own; 0.0 and -0.0, which pyarrow calls equal, are
#   one group and meet in a join. Two computations of the same NaN cannot be told apart by what they print.
# Behaviour: values are compared by their bits. What x86 computes for 0.0 / 0.0 has the sign bit, the constant nan has
#   not, so they are two groups that look the same, two values in unique, count_distinct and value_counts, and do not meet
#   in a join, though NaN of the same bits do. 0.0 and -0.0 part likewise. Polars and DuckDB, which read the same Arrow
#   table, have one group for each. (An issue of 2019 asks Arrow how this is meant to be; the functions' documentation does
#   not say.)
# Output seen:
#   pyarrow unique: [nan, nan, 0.0, -0.0], distinct 4
#   pyarrow groups: nan 1, nan 1, 0.0 1, -0.0 1
#   pyarrow join with itself: 4 rows
#   pyarrow 0.0 == -0.0: True
#   polars groups: nan 2, 0.0 2
#   duckdb groups: nan 2, 0.0 2
#   polars join with itself: 8 rows
#   duckdb join with itself: 8 rows
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==25.0.1 numpy==2.4.6 polars==2.1.0 duckdb==2.0.0
cat >"$folder/look.py" <<'PY'
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

zero = np.zeros(1)
with np.errstate(invalid="ignore"):
    computed = zero / zero
rows = pa.table({"k": np.concatenate([computed, [np.nan, 0.0, -0.0]])})
keys = rows["k"]


def groups(library, counted):
    shown = sorted(counted, key=lambda group: (str(group[0]) != "nan", str(group[0])[0] == "-"))
    print(f"{library} groups:", ", ".join(f"{key} {count}" for key, count in shown))


print(f"pyarrow unique: {pc.unique(keys).to_pylist()}, distinct {pc.count_distinct(keys)}")
counted = rows.group_by("k").aggregate([([], "count_all")])
groups("pyarrow", zip(counted["k"].to_pylist(), counted["count_all"].to_pylist()))
print(f"pyarrow join with itself: {rows.join(rows, 'k', join_type='inner').num_rows} rows")
print("pyarrow 0.0 == -0.0:", pc.equal(keys[2], keys[3]))
frame = pl.from_arrow(rows)
groups("polars", frame.group_by("k").len().rows())
groups("duckdb", duckdb.sql("SELECT k, count(*) FROM rows GROUP BY k").fetchall())
print(f"polars join with itself: {frame.join(frame, on='k').height} rows")
print(f"duckdb join with itself: {len(duckdb.sql('SELECT 1 FROM rows JOIN rows AS r USING (k)').fetchall())} rows")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py")
echo "$seen"
expected="pyarrow unique: [nan, nan, 0.0, -0.0], distinct 4
pyarrow groups: nan 1, nan 1, 0.0 1, -0.0 1
pyarrow join with itself: 4 rows
pyarrow 0.0 == -0.0: True
polars groups: nan 2, 0.0 2
duckdb groups: nan 2, 0.0 2
polars join with itself: 8 rows
duckdb join with itself: 8 rows"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

#!/usr/bin/env bash
# Spark 4.2.0: its reader of JSON lines leaves out whatever follows the first object of a line, and calls no line broken.
#
# Versions: Python 3.11, Java 17, pyspark 4.2.0.
# Expectation: "each line must contain a separate, self-contained valid JSON object" (Spark's guide of JSON files). Where
#   a writer has lost a line end, `{"n":1}{"n":2}` is none: Python's json, jq and pandas refuse it. So Spark names the
#   line as corrupt, as it does with `{"n":1`, or fails in the mode FAILFAST.
# Behaviour: the second object is gone, the line counts as whole, and FAILFAST does not fail. The same happens to any
#   other text after the first object. Of a name that stands twice in an object the last value is taken.
# Output seen:
#   1 | None
#   1 | None
#   2 | None
#   None | {"n":1
#   FAILFAST reads 3 of the 4 objects in the first three lines
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
printf '%s\n' '{"n":1}{"n":2}' '{"n":1} and more' '{"n":1,"n":2}' >"$folder/lines.json"
printf '%s\n' '{"n":1' >"$folder/cut.json"
cat >"$folder/look.py" <<'PY'
import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
lines, cut = f"{sys.argv[1]}/lines.json", f"{sys.argv[1]}/cut.json"
read = spark.read.schema("n int, _corrupt_record string")
for path in (lines, cut):
    for row in read.json(path).collect():
        print(f"{row.n} | {row._corrupt_record}")
rows = spark.read.schema("n int").option("mode", "FAILFAST").json(lines).collect()
print(f"FAILFAST reads {len(rows)} of the 4 objects in the first three lines")
PY
seen=$("$folder/venv/bin/python" "$folder/look.py" "$folder" 2>/dev/null)
echo "$seen"
expected='1 | None
1 | None
2 | None
None | {"n":1
FAILFAST reads 3 of the 4 objects in the first three lines'
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

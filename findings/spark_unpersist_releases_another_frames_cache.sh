#!/usr/bin/env bash
# Spark 4.2.0: unpersist() of a DataFrame that was never cached drops the cache of another one of an equal plan.
#
# Versions: Python 3.11, Java 17, pyspark 4.2.0 (classic, not Spark Connect).
# Expectation: cache() and unpersist() are of the DataFrame they are called on. A function that reads a table, caches what
#   it made of it and releases that at its end does not touch what its caller holds.
# Behaviour: caches are kept by plan, without a count of who asked. A second DataFrame that is built the same way reads the
#   first one's cache, and its unpersist(), though it never called cache(), releases it for both: the first is computed
#   anew by each action from then on. Its is_cached, set by Python alone, still says True. Two that both called cache()
#   fare the same: the first to finish releases it for the other.
# Output seen:
#   first cached: is_cached True, level in memory True, computed by 2 more actions: 0 rows
#   second unpersisted: is_cached True, level in memory False, computed by 2 more actions: 6 rows
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cat >"$folder/look.py" <<'PY'
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
computed = spark.sparkContext.accumulator(0)


@F.udf("long")
def square(number):
    computed.add(1)
    return number * number


def build():
    return spark.range(3).select("id", square("id").alias("square"))


def look(name):
    before = computed.value
    for _ in range(2):
        first.collect()
    level, rows = first.storageLevel.useMemory, computed.value - before
    print(f"{name}: is_cached {first.is_cached}, level in memory {level}, computed by 2 more actions: {rows} rows")


first, second = build(), build()
first.cache().collect()
look("first cached")
second.unpersist()
look("second unpersisted")
PY
export PYSPARK_PYTHON="$folder/venv/bin/python"
seen=$("$folder/venv/bin/python" "$folder/look.py" 2>/dev/null)
echo "$seen"
expected="first cached: is_cached True, level in memory True, computed by 2 more actions: 0 rows
second unpersisted: is_cached True, level in memory False, computed by 2 more actions: 6 rows"
[[ $seen == "$expected" ]] || { echo "the behaviour has changed" >&2 && exit 1; }

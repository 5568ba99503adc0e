#!/usr/bin/env bash
# PySpark 4.2.0: every operator of an expression costs several more round trips to Java than its own call.
#
# Versions: Python 3.11 or newer, Java 17 or newer, pyspark 4.2.0 (classic, not Spark Connect).
# Expectation: F.col("x") + 1 is one or two calls to Java. Settings of error messages cost nothing until there is an error.
# Behaviour: spark.python.sql.dataFrameDebugging.enabled is on by default. Then each function and operator first asks
#   Java for the active session and for spark.sql.stackTracesInDataFrameContext, hands it the line of Python, tries to
#   import IPython anew, and clears all of it afterwards. A plan of a thousand operators takes seconds to write down,
#   before anything is analysed. Off, the same plan is written with a fraction of the calls.
# Output seen:
#   default: 11 calls to Java for each addition
#   off: 1 calls to Java for each addition
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==4.2.0
cat >"$folder/count.py" <<'PY'
import sys

from py4j.clientserver import ClientServerConnection
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
if sys.argv[1] == "off":
    builder = builder.config("spark.python.sql.dataFrameDebugging.enabled", "false")
spark = builder.getOrCreate()
column, calls, send = F.col("x"), 0, ClientServerConnection.send_command


def counted(connection, command):
    global calls
    calls += not command.startswith("m\n")  # memory commands come whenever Python collects its garbage
    return send(connection, command)


ClientServerConnection.send_command = counted
for _ in range(100):
    column = column + 1
print(round(calls / 100))
spark.stop()
PY
count() { PYSPARK_PYTHON="$folder/venv/bin/python" "$folder/venv/bin/python" "$folder/count.py" "$1" 2>"$folder/log" || { cat "$folder/log" >&2 && return 1; }; }

default=$(count default) off=$(count off)
echo "default: $default calls to Java for each addition"
echo "off: $off calls to Java for each addition"
((default >= 2 * off)) || { echo "the behaviour has changed" >&2 && exit 1; }

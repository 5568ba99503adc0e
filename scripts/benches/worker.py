"""One engine in a process of its own: commands come in as JSON lines, answers go out as JSON lines.

An engine is a module with `prepare(case)`, which does what is not timed, `consume(case)`, which computes the whole
result, and `store(case, target)`, which writes it as a new table at a path that does not exist. They raise on failure.
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback
from importlib.metadata import distributions
from types import ModuleType
from typing import Any

from cases import from_json

TOLD = {"delta-spark", "deltalake", "feast", "dbl-tempo", "duckdb", "numpy", "polars", "pyarrow", "pyspark"}


def main() -> None:
    """Answer until the input ends. What libraries print goes to the log: standard output holds nothing but answers."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    engine = importlib.import_module(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(answer(engine, json.loads(line))), file=answers)
        settle()


def answer(engine: ModuleType, request: dict[str, Any]) -> dict[str, Any]:
    """What the engine says, with the seconds it took; or the error."""
    case = from_json(request["case"])
    arguments = [request["target"]] if request["do"] == "store" else []
    started = time.perf_counter()
    try:
        said = getattr(engine, request["do"])(case, *arguments)
    except Exception as error:  # noqa: BLE001  (whatever an engine does wrong is reported, and the others go on)
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {str(error).strip().splitlines()[0]}"}
    seconds = time.perf_counter() - started
    told = {"versions": versions()} if request["do"] == "prepare" else {}
    return {"seconds": seconds, **told, **(said or {})}


def versions() -> dict[str, str]:
    """Package -> version, of the packages that the figures depend on."""
    return {one.name: one.version for one in distributions() if one.name.replace("_", "-") in TOLD}


def settle() -> None:
    """Collect what the command left, outside any measured time, so that the next one does not pay for it."""
    gc.collect()
    if "pyspark" in sys.modules:
        from pyspark.sql import SparkSession  # noqa: PLC0415  (only some engines have it)

        if (session := SparkSession.getActiveSession()) is not None:
            session.sparkContext._jvm.System.gc()  # noqa: SLF001  (PySpark's only way to ask Java)


if __name__ == "__main__":
    main()

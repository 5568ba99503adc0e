"""The house's order, read from the code itself: who imports whom, what is used where, how long files are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIB = ROOT / "lib" / "nightjar"
MODULES = sorted(LIB.rglob("*.py"))
JOBS = sorted((ROOT / "jobs").glob("*.py"))

STAGES = {"sources", "features", "learning", "scoring", "review", "monitoring"}
KERNEL = {"settings", "timeline", "durations", "errors"}
FOUNDATIONS = {"expressions", "tables", "checks", "evaluation", "asof", "masking", "compiled"}

MAY_IMPORT = {
    "errors": set(),
    "durations": {"errors"},
    "timeline": {"durations", "errors"},
    "settings": {"timeline", "durations", "errors"},
    "origins": KERNEL,
    "refusals": KERNEL,
    "overrides": KERNEL | {"refusals"},
    "config": KERNEL | {"origins", "overrides", "refusals"},
    "runtime": KERNEL | {"nightjar"},
    "expressions": KERNEL,
    "asof": KERNEL,
    "checks": KERNEL,
    "compiled": set(),
    "evaluation": KERNEL,
    "tables": KERNEL,
    "masking": KERNEL | {"evaluation"},
    "joins": KERNEL | FOUNDATIONS,
    "models": KERNEL | FOUNDATIONS | {"joins"},
    "explanation": KERNEL | FOUNDATIONS | {"models"},
    "alerts": KERNEL | FOUNDATIONS,
    "registry": KERNEL | FOUNDATIONS | {"joins", "models"},
    **{stage: KERNEL | FOUNDATIONS | {"joins", "models", "registry", "alerts"} for stage in STAGES},
    "report": KERNEL | FOUNDATIONS | {"joins", "models", "explanation", "registry"},
    "profiling": KERNEL | FOUNDATIONS | {"sources", "report", "config"},
    "pipeline": KERNEL
    | FOUNDATIONS
    | STAGES
    | {"joins", "models", "explanation", "registry", "alerts", "report", "profiling", "config", "runtime", "nightjar"},
    "__main__": KERNEL | {"config", "profiling", "runtime", "nightjar"},
}
"""Part of the library -> the other parts it may import.

Not by import-linter: this order needs a contract for the layers, one for the stages and one for learning there, and the
other rules of this file would still be Python.
"""
MAY_IMPORT["learning"] |= {"config", "explanation", "runtime"}
MAY_IMPORT["scoring"] |= {"explanation", "runtime"}

LEARNING = {
    "data": set(),
    "splits": {"data"},
    "labels": {"data"},
    "fitting": {"data", "splits", "labels"},
    "search": {"data", "splits", "fitting"},
    "distributed": {"fitting"},
    "analysis": {"data", "splits", "fitting", "search"},
}
"""Package of learning -> the others that it may import; the modules beside them use them all, and none uses those."""

ONLY_IN = {
    "hydra": ["config.py", "overrides.py", "refusals.py"],
    "pydantic": ["config.py", "settings"],
    "ray": ["learning", "runtime/ray.py"],
    "mlflow": ["registry"],
    "torch": ["models/network/training.py", "learning/distributed"],
    "deltalake": ["tables"],
    "delta": ["tables/delta.py"],
    "numba": ["compiled"],
    "fastapi": ["review/page"],
    "starlette": ["review/page"],
    "uvicorn": ["review/page"],
}
"""Heavy library -> the modules and folders that may import it."""

NEVER_IN = {"pyspark": ["asof", "checks", "compiled", "evaluation", "explanation", "models", "profiling", "settings"]}


def within(module: Path) -> str:
    return module.relative_to(LIB).as_posix()


def part_of(module: Path) -> str:
    return within(module).split("/")[0].removesuffix(".py")


@cache
def nodes(module: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(module.read_text())))


@cache
def imports(module: Path) -> set[str]:
    """Every dotted name that is imported anywhere in the file; `from a import b` counts as a.b."""
    found = set()
    for node in nodes(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def parts_imported(module: Path) -> set[str]:
    own = [name.split(".") for name in imports(module) if name.split(".")[0] == "nightjar"]
    return {name[1] if len(name) > 1 else "nightjar" for name in own}


def dotted(module: Path) -> str:
    return ".".join(module.relative_to(LIB.parent).with_suffix("").parts).removesuffix(".__init__")


DOTTED = {dotted(module) for module in MODULES}


def modules_imported(module: Path) -> set[str]:
    """The library's modules among the imports, also those inside functions and those for types alone."""
    names = {name if name in DOTTED else name.rpartition(".")[0] for name in imports(module)}
    return names & DOTTED - {dotted(module)}


def lies_in(module: Path, places: list[str]) -> bool:
    return any(within(module) == place or within(module).startswith(f"{place}/") for place in places)


@pytest.mark.parametrize("module", MODULES, ids=within)
def test_imports_run_one_way(module):
    """jobs -> pipeline -> stages, report -> registry -> models -> joins -> foundations -> settings -> timeline, errors.

    So stages never import each other, report imports no stage, and only jobs, pipeline and learning may import config
    and runtime. Profiling stands between report and pipeline: it looks at raw files by the rules of sources, and at
    stored facts, shows them like report, and composes what it proposes.
    """
    part = part_of(module)
    if part == "__init__":
        assert not parts_imported(module)
        return
    assert parts_imported(module) <= MAY_IMPORT[part] | {part}


def test_no_import_runs_in_a_circle():
    """Module by module: a circle raises CycleError, which names its modules."""
    TopologicalSorter({dotted(module): modules_imported(module) for module in MODULES}).prepare()


@pytest.mark.parametrize("package", LEARNING)
def test_in_learning_no_import_runs_up(package):
    modules = [module for module in MODULES if lies_in(module, [f"learning/{package}"])]
    names = [name.split(".") for module in modules for name in modules_imported(module)]
    own = {name[2] for name in names if name[1] == "learning"}
    assert modules
    assert own <= LEARNING[package] | {package}


@pytest.mark.parametrize("module", JOBS, ids=lambda one: one.name)
def test_a_job_is_a_thin_entry_point(module):
    """A job imports the pipeline, settings, config and runtime, nothing deeper, and has at most 60 lines."""
    assert parts_imported(module) <= {"pipeline", "settings", "config", "runtime"}
    assert len(module.read_text().splitlines()) <= 60


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_heavy_library_is_imported_only_where_it_belongs(library):
    users = [module for module in MODULES if library in {name.split(".")[0] for name in imports(module)}]
    assert [within(module) for module in users if not lies_in(module, ONLY_IN[library])] == []


@pytest.mark.parametrize("library", NEVER_IN)
def test_what_needs_no_cluster_never_imports_one(library):
    users = [module for module in MODULES if library in {name.split(".")[0] for name in imports(module)}]
    assert [within(module) for module in users if lies_in(module, NEVER_IN[library])] == []


def test_no_task_is_cancelled():
    """Ray (2.60) ends the driver when a task finishes just as it is cancelled. What still runs ends with the driver."""
    assert [within(module) for module in MODULES if "ray.cancel" in module.read_text()] == []


def test_no_table_is_scanned_by_the_python_file_system_of_delta_rs():
    """See `tables.arrow.read`: a scan's thread that lets go of its memory as Python ends, ends it by a signal."""
    text = {within(module): module.read_text() for module in MODULES}
    users = [name for name, lines in text.items() if re.search(r"\.to_pyarrow_(dataset\(\)|table\()", lines)]
    assert users == ["report/queries.py"]  # in text, for people to copy


def test_the_delta_format_of_spark_is_named_only_in_one_module():
    """Spark's Delta reads and writes go through tables/delta.py; what the class archive is made of is no table."""
    users = [within(module) for module in MODULES if 'format("delta")' in module.read_text()]
    assert users == ["runtime/class_archive.py", "tables/delta.py"]


@pytest.mark.parametrize("module", MODULES, ids=within)
def test_a_module_is_short_and_named_for_one_thing(module):
    """About 200 lines without examples (definitions are a table, not code); no utils, no helpers."""
    assert module.stem not in ("utils", "util", "helpers", "helper", "common", "misc")
    limit = 340 if within(module) == "tables/definitions.py" else 250
    without_examples = re.sub(r'\n\n +Examples?:\n.*?(?=""")', "", module.read_text(), flags=re.DOTALL)
    assert len(without_examples.splitlines()) <= limit


BANNED = {
    *("found", "told", "asked", "known", "held", "said", "kept", "made", "given", "taken", "wanted", "stands", "left")
}
"""Participles and the like, which say of a thing that something was done with it, and not what it is."""
NAMES_FOR_GOOD = re.compile(r"known_(at|by|until)|not_yet_known|held_out|left_out|kept_$", re.IGNORECASE)
"""Names of stored columns, states and attributes, and of what statistics calls so."""


def bound_names(module: Path) -> Iterator[tuple[str, int]]:
    """Every name that the module itself gives to something, and the line."""
    for node in nodes(module):
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.MatchAs(name=str(name)):
                yield name, node.lineno
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


def test_a_name_says_what_a_thing_is():
    """A name such as `found` or `told` is met once in ten thousand names elsewhere."""
    names = [(name, f"{within(module)}:{line}") for module in MODULES for name, line in bound_names(module)]
    words = {name: set(NAMES_FOR_GOOD.sub("", name).lower().split("_")) for name, _ in names}
    assert [(name, where) for name, where in names if words[name] & BANNED] == []
    assert [within(module) for module in MODULES if BANNED & set(module.stem.split("_"))] == []


def test_no_module_reaches_for_what_another_keeps_to_itself():
    """What begins with an underscore is imported nowhere."""
    own = re.compile(r"nightjar\..*\._[^_]")
    private = [(within(module), name) for module in MODULES for name in imports(module) if own.match(name)]
    assert private == []


@pytest.mark.parametrize("word", ["flight", "nycflights", "carrier", "tailnum"])
def test_nothing_about_the_first_project_stands_in_the_library(word):
    """A second project needs no code, so the library knows nothing about the first."""
    assert [within(module) for module in MODULES if word in module.read_text().lower()] == []

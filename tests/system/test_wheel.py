"""The package as others install it: a wheel, and a project in a folder of its own, run by the console command."""

import ensurepip
import re
import shutil
import sys
import sysconfig
import venv
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

import builders
import nightjar
from profiling.profiles import write_csv
from system import tree

pytestmark = pytest.mark.starts_processes
FIRST, DAYS = date(2024, 3, 1), 60


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built of a copy, as builds leave files beside the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for part in ("lib", "conf", "jobs"):
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(tree.ROOT / part, folder / part, symlinks=True, ignore=ignored)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(tree.ROOT / file, folder)
    tree.run([sys.executable, "-c", "from setuptools import build_meta; build_meta.build_wheel('.')"], folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def programs(wheel, tmp_path_factory):
    """The programs of an environment with the wheel, and the suite's packages instead of those that it requires."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    venv.create(place, symlinks=True)
    python = place / "bin" / "python"
    (pip,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")  # what installs pip is run by itself, too
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile"]
    tree.run([python, pip / "pip", "install", *options, wheel], place)
    packages = Path(tree.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], place).strip())
    (packages / "suite.pth").write_text(sysconfig.get_path("purelib"))
    return place / "bin"


@pytest.fixture(scope="module")
def folder(programs, tmp_path_factory):
    """A project's folder, with the configuration that is made of a file."""
    place = tmp_path_factory.mktemp("project")
    rows = [(shop, FIRST + timedelta(days=n), n) for n in range(DAYS) for shop in range(5)]
    columns = {
        "shop": [str(shop) for shop, _, _ in rows],
        "at": [f"{day}T10:00:00Z" for _, day, _ in rows],
        "busy": [str((n + shop) % 3 == 0).lower() for shop, _, n in rows],
    }
    write_csv(place / "orders.csv", columns)
    printed = run(
        programs, place, "nightjar", "new-project", "shops", "--data", "orders.csv", "--label", "busy", "--zone", "UTC"
    )
    assert "  nightjar nightly project_dates=true project=shops search=shops\n" in printed
    (place / "conf" / "environment").mkdir()
    tree.declare(place / "conf" / "environment" / "quick.yaml", builders.quick_environment())
    return place


def run(programs, folder, program, *arguments):
    variables = {"PYTHONPATH": "", "JAVA_TOOL_OPTIONS": builders.QUICK_JAVA, **builders.QUICK_RAY}
    return tree.run([programs / program, *arguments], folder, variables)


def files(folder):
    every = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    return {name for name in every if "__pycache__" not in name}


def test_it_has_every_file_of_the_package_the_configuration_and_the_jobs(wheel):
    with zipfile.ZipFile(wheel) as packed:
        names = {name.partition("/")[2] for name in packed.namelist() if name.startswith("nightjar/")}
    linked = {f"_{folder}/{name}" for folder in ("conf", "jobs") for name in files(tree.ROOT / folder)}
    assert (
        names
        == {name for name in files(tree.ROOT / "lib" / "nightjar") if name[:6] not in ("_conf/", "_jobs/")} | linked
    )


def test_a_project_in_a_folder_of_its_own_has_its_night(programs, folder):
    """Its own environment, a search that includes one of the package, and nothing of this checkout."""
    night = str(FIRST + timedelta(days=DAYS - 1))
    settings = ["project=shops", "search=shops", "environment=quick", f"run_date={night}"]
    small = [f"~search.candidates.{name}" for name in ("network", "boosting")]
    printed = run(programs, folder, "nightjar", "nightly", *settings, *small)
    runs = DeltaTable(folder / "warehouse" / "shops" / "runs").to_pyarrow_table().to_pylist()
    assert {row["job"] for row in runs if row["status"] == "done"} >= {"ingest", "train", "score", "monitor", "nightly"}
    assert {re.sub("[0-9a-f]{12}$", "HASH", row["code_revision"]) for row in runs} == {f"{nightjar.__version__}+HASH"}
    assert f"{programs}/python -c" in printed
    assert (folder / "warehouse" / "shops" / "reports" / f"night-{night}.html").exists()


def test_a_job_by_its_path_is_the_command(programs, folder):
    jobs = Path(run(programs, folder, "nightjar", "path", "jobs").strip())
    assert jobs.is_relative_to(programs.parent)
    settings = ["project=shops", "run_date=2024-04-01", "environment=quick", "--cfg", "job"]
    by_path = run(programs, folder, "python", jobs / "build_features.py", *settings)
    assert by_path == run(programs, folder, "nightjar", "build-features", *settings)
    assert "name: shops\n" in by_path

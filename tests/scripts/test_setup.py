"""The commands of a fresh checkout: what they ask of a machine, what they say when it is not there, what they pin."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = [*(f"scripts/{name}" for name in ("setup", "check", "test", "nightly")), ".ci/run"]
# What a newcomer may lack, and what reaches the network: a test puts in its place what it needs.
TAKEN_AWAY = re.compile(r"java|python.*|pip.*|uvx?|curl|wget|apt-get|sudo|chromium.*|google-chrome.*")
REFUSALS = {
    "no Java": ({"python3": "3.11.7"}, r"Java 17 or newer is needed, but there is none on PATH; install .*"),
    "old Java": ({"python3": "3.11.7", "java": "11.0.2"}, r"Java 17 .* on PATH is 11\.0\.2; install .*"),
    "Java 8": ({"python3": "3.11.7", "java": "1.8.0_392"}, r"Java 17 .* on PATH is 1\.8\.0_392; install .*"),
    "Java without vectors": ({"python3": "3.11.7", "java": "17.0.1-jre"}, r"Java 17\.0\.1-jre .* lacks the module .*"),
    "no Python": ({"java": "17.0.1"}, r"Python 3\.11 or newer is needed, but python3 was not found .*; install .*"),
    "old Python": ({"python3": "3.9.2", "java": "17.0.1"}, r"Python 3\.11 .* python3 is 3\.9\.2; install .*"),
    "no disk": ({"python3": "3.11.7", "java": "17.0.1", "df": "5"}, r"\d+ GB .* needed, but .* has 5 GB; free .*"),
}
JAVA = """case "$*" in *--add-modules*) case VERSION in *-jre | 1.* ) exit 1 ;; esac ;; esac
echo 'openjdk version "VERSION" 2025-04-15' >&2"""
DF = """echo header; echo "disk 999999999 0 $((VERSION * 1024 * 1024)) 0% /" """
PYTHON = """case "$*" in
  *version_info*) echo VERSION ;;
  *ensurepip*) ;;
  *) echo "python $*" >>"$CALLS"; [[ $* != "-m nightjar setup" ]] || exit "${REFUSED:-0}" ;;
esac"""
BODIES = {"java": JAVA, "df": DF, "python3": PYTHON}


def program(path: Path, body: str) -> None:
    path.unlink(missing_ok=True)
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


class Machine:
    """A copy of the checkout on a machine that has the usual tools, plus the programs it is given."""

    def __init__(self, folder: Path, programs: dict[str, str]) -> None:
        self.checkout, self.bin, self.calls = folder / "checkout", folder / "bin", folder / "calls"
        self.bin.mkdir()
        for tool in [*Path("/bin").iterdir(), *Path("/usr/bin").iterdir()]:
            if not TAKEN_AWAY.fullmatch(tool.name) and not (self.bin / tool.name).is_symlink():
                (self.bin / tool.name).symlink_to(tool)
        for name in ("uv", "pip", "curl", "wget", "apt-get"):
            program(self.bin / name, f'echo "{name} $*" >>"$CALLS"')
        program(self.bin / "uv", '[[ $* == --version ]] || echo "uv $*" >>"$CALLS"')
        for name, version in programs.items():
            program(self.bin / name, BODIES[name].replace("VERSION", version))
        shutil.copytree(ROOT / "scripts", self.checkout / "scripts")
        shutil.copytree(ROOT / "lib/nightjar/runtime", self.checkout / "lib/nightjar/runtime")
        for name in ("requirements.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout)

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin), "CHECKOUT": str(self.checkout), "CALLS": str(self.calls), **variables}
        return subprocess.run(
            command or [str(self.checkout / "scripts/setup")],
            cwd="/",
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def downloads(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []


@pytest.mark.parametrize("case", REFUSALS)
def test_what_the_machine_lacks_is_one_sentence_before_anything_is_downloaded(case: str, tmp_path: Path) -> None:
    programs, sentence = REFUSALS[case]
    machine = Machine(tmp_path, programs)

    run = machine.run()

    assert run.returncode == 1
    assert re.fullmatch(rf"scripts/setup: {sentence}\n", run.stderr), run.stderr
    assert run.stdout == ""
    assert machine.downloads() == []
    assert not (machine.checkout / ".venv").exists()


@pytest.fixture
def prepared(tmp_path: Path) -> Machine:
    """A machine whose .venv has everything but the stamp."""
    machine = Machine(tmp_path, {"java": "17.0.1", "df": "100", "python3": "3.11.7"})
    venv = machine.checkout / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/activate").write_text(f'VIRTUAL_ENV="{venv}"\n')
    shutil.copy(machine.bin / "python3", venv / "bin/python")
    return machine


def test_a_finished_set_up_is_silent_until_what_it_was_made_from_changes(prepared: Machine) -> None:
    first = prepared.run()
    again = prepared.run()
    calls = len(prepared.downloads())
    with (prepared.checkout / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    changed = prepared.run()

    assert (first.returncode, first.stderr) == (0, "")
    assert "python -m nightjar setup" in prepared.downloads()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert changed.returncode == 0
    assert "Updating" in changed.stdout
    assert len(prepared.downloads()) == 2 * calls


def test_a_refusal_of_jars_or_java_ends_it_and_it_is_not_finished(prepared: Machine) -> None:
    run = prepared.run(REFUSED="1")

    assert run.returncode == 1
    assert prepared.downloads()[-1] == "python -m nightjar setup"
    assert not (prepared.checkout / ".venv/nightjar-setup.stamp").exists()
    assert prepared.run().returncode == 0


def test_an_interrupted_installation_is_started_afresh(prepared: Machine) -> None:
    """Half a package can look whole, so what a cut-off installation left is thrown away."""
    (prepared.checkout / ".venv/nightjar-setup.unfinished").touch()
    (prepared.checkout / ".venv/half").touch()

    prepared.run()

    assert not (prepared.checkout / ".venv/half").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        ("", "project=flights project_dates=true"),
        ("only=[monitor]", "project=flights project_dates=true only=[monitor]"),
        ("run_date=2013-10-05", "project=flights run_date=2013-10-05"),
        ("project=parcels", "project_dates=true project=parcels"),
        ("project=parcels run_date=2013-10-05", "project=parcels run_date=2013-10-05"),
        ("project_dates=false", "project=flights project_dates=false"),
        ("--help", "project=flights --help"),
        ("--cfg job", "project=flights --cfg job"),
        ("--config-dir my/conf", "project=flights project_dates=true --config-dir my/conf"),
    ],
)
def test_nightly_fills_in_the_project_and_its_dates(arguments: str, settings: str, prepared: Machine) -> None:
    prepared.run()

    run = prepared.run(str(prepared.checkout / "scripts/nightly"), *arguments.split())

    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert prepared.downloads()[-1] == f"python jobs/nightly.py {settings}"


@pytest.mark.slow
def test_nightly_first_simulates_the_files_of_a_lender(prepared: Machine) -> None:
    prepared.run()

    prepared.run(str(prepared.checkout / "scripts/nightly"), "project=credit", "run_date=2025-07-05")

    assert prepared.downloads()[-2:] == [
        "python scripts/simulating_credit.py --night 2025-07-05",
        "python jobs/nightly.py search=credit project=credit run_date=2025-07-05",
    ]


def test_a_browser_that_cannot_be_installed_is_said_and_forgiven(prepared: Machine) -> None:
    prepared.run()
    (prepared.bin / "apt-get").unlink()

    run = prepared.run(str(prepared.checkout / "scripts/setup"), "--browser")

    assert run.returncode == 0
    no_browser, *no_database = run.stdout.splitlines()  # where the machine has no PostgreSQL either
    assert re.fullmatch(r"No Chromium was found .*: the browser tests will be skipped\.", no_browser)
    assert all(re.fullmatch(r"No PostgreSQL was .*: the database tests will be skipped\.", one) for one in no_database)


@pytest.mark.starts_processes
def test_set_up_of_this_checkout_is_silent_the_second_time() -> None:
    subprocess.run([ROOT / "scripts/setup"], check=True, capture_output=True)
    again = subprocess.run([ROOT / "scripts/setup"], check=True, capture_output=True, text=True)

    assert (again.stdout, again.stderr) == ("", "")
    assert Path(sys.prefix).resolve() == (ROOT / ".venv").resolve()


def test_every_locked_requirement_is_hashed_and_names_no_source() -> None:
    text = (ROOT / "requirements.lock").read_text()
    requirements = [block for block in re.split(r"\n(?=\S)", text) if block.strip() and not block.startswith("#")]

    assert len(requirements) > 50
    assert not re.search(r"://|--(extra-)?index-url|--find-links|@ ", text)
    for requirement in requirements:
        assert re.match(r"[a-z0-9.-]+==\S+", requirement), requirement[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement), requirement[:80]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_executable_strict_and_well_formed(command: str) -> None:
    path = ROOT / command

    assert os.access(path, os.X_OK)
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert "set -euo pipefail" in path.read_text() or command == ".ci/run"

"""Two versions of one project's model and one of another's, registered in MLflow by training's own call."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nightjar.registry import keys, lookup, tracking
from nightjar.registry.signature import Subject
from nightjar.registry.trials import Trial
from nightjar.settings.environment import Environment
from registry.made import ABOUT, fit_small

TRIALS = (
    Trial("logistic-1", "fold 1", 11, 0.5, {"roc_auc": 0.75, "log_loss": None}, {"C": 0.5}),
    Trial("majority", "fold 1", 12, 0.25, {"roc_auc": 0.5}, {}),
    Trial("logistic-1", "fold 2", 13, 2.0, {}, {"C": 0.5}, failure="Traceback\n" + "x" * 9000 + "\nValueError: boom"),
)
FIRST, SECOND = Subject("machines", "logistic-1", "1"), Subject("machines", "logistic-1", "2")
OTHER = Subject("lamps", "logistic-1", "1")


@dataclass(frozen=True)
class Registered:
    """A home with models: for reading only, but for `altered`."""

    environment: Environment
    runs: dict[Subject, str]

    @property
    def home(self) -> Path:
        return Path(self.environment.home)

    @property
    def key(self):
        return keys.public_key(self.environment)

    def folder(self, subject: Subject) -> Path:
        return lookup.fetch(self.home, subject.project, subject.version)


def never(search):
    """No search is under way."""
    return False


@pytest.fixture(scope="session")
def registered(tmp_path_factory):
    home = tmp_path_factory.mktemp("registered") / "home"
    key, runs = keys.signing_key(home), {}
    for subject in (FIRST, SECOND, OTHER):
        about = replace(ABOUT, project=subject.project)
        figures = {"final_roc_auc": 0.5}
        with tracking.record_search(home, subject.project, subject.version, {"of": "test"}, never) as run:
            for trial in TRIALS:
                run.log(trial)
            version = tracking.register(run, figures, fit_small(), about, key)
        runs[subject] = run.id
        assert version == subject.version
    return Registered(Environment(home=str(home)), runs)


@pytest.fixture
def stored(registered, tmp_path):
    """A copy of the first version's folder, to be changed."""
    return shutil.copytree(registered.folder(FIRST), tmp_path / "stored")

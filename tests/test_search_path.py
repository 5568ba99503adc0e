"""A project's folder before the package's configuration: which file counts, and what a refusal lists."""

import re

import pytest

from nightjar import config
from nightjar.errors import UsageError
from nightjar.settings.jobs import JobName

pytestmark = pytest.mark.slow  # each composes a configuration
FLIGHTS = ["project=flights", "run_date=2013-10-05"]
FILES = {
    "environment/local": "warehouse: ours\n",
    "environment/mine": "defaults: [local, _self_]\nhome: my home\n",
    "environment/theirs": "defaults: [cluster, _self_]\n",
    "environment/wrong": "hme: here\n",
    "environment/lost": "defaults: [clustr, _self_]\n",
    "environment/unquoted": "defaults: [local, _self_]\nhome: NO\n",
}


@pytest.fixture
def conf(tmp_path):
    """Of a project, in a folder whose name is none that Hydra's grammar would take unquoted."""
    folder = tmp_path / "a, b's $x {y}" / "conf"
    for name, text in FILES.items():
        file = folder / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def compose(conf, *overrides):
    return config.make_settings(config.compose_job(conf, JobName.SCORE, [*FLIGHTS, *overrides]))


def test_a_file_of_the_project_is_taken_before_the_package_s_of_the_same_name(conf):
    assert compose(conf).environment.warehouse == "ours"
    assert compose(config.BASE).environment.warehouse == "warehouse"
    composed = compose(conf, "environment=mine")
    assert (composed.environment.home, composed.environment.warehouse) == ("my home", "ours")
    assert composed.project.name == "flights"
    assert compose(conf, "environment=theirs").environment.ray_address == "auto"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("environment=mne", r"there is no 'mne' in environment.*'mine'.*'cluster'.*'mine', 'theirs'"),
        ("environment=wrong", r"environment.hme: .*conf/environment/wrong.yaml, line 1"),
        ("environment=lost", r"conf/environment/lost.yaml: there is no 'clustr' in environment.*'cluster'"),
        ("environment=unquoted", r"environment.home: .*line 2 of .*conf/environment/unquoted.yaml"),
        ("+modle@environment.x=tree", r"there is no group 'modle'.*'features/flights', 'model', 'project'"),
    ],
    ids=["option", "key", "included file", "unquoted text", "group"],
)
def test_a_refusal_names_the_file_and_lists_what_both_folders_have(conf, override, message):
    with pytest.raises(UsageError) as refused:
        compose(conf, override)
    assert re.search(message, str(refused.value)), refused.value

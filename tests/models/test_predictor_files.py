import json

import numpy as np
import pytest
import skops.io

from models.rows import CANDIDATES, FEATURES, MEMBERS, examples
from nightjar.errors import ModelError
from nightjar.models.fitting import fit
from nightjar.models.serialization.predictor_files import dump, open_predictor
from nightjar.models.serialization.skops_allowlist import ALLOWED_TYPES, require_allowed_types
from nightjar.models.serialization.skops_allowlist import dump as dump_part
from nightjar.models.serialization.tree_checks import require_sound_trees


@pytest.fixture(scope="module")
def stored():
    """A voting, a network, a calibrated forest and a boosting, as structure and files."""
    dumps = {}
    for name in ("voting for classification", "network", "platt", "boosting", "isotonic"):
        task, model = CANDIDATES[name]
        dumps[name] = dump(fit(model, examples(task), features=FEATURES, task=task, seed=0, members=MEMBERS))
    return dumps


def test_files_are_named_for_what_they_hold_and_a_members_have_its_number(stored):
    assert sorted(stored["network"][1]) == ["network.safetensors", "preparation.skops"]
    assert sorted(stored["voting for classification"][1]) == [
        "1-estimator.skops",
        "1-preparation.skops",
        "2-estimator.skops",
        "2-preparation.skops",
    ]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("boosting", lambda one: one.pop("calibration")),
        ("boosting", lambda one: one.update(estimator={"pickle": "estimator.skops"})),
        ("boosting", lambda one: one.update(estimator={"skops": "preparation.skops"})),
        ("boosting", lambda one: one.update(estimator={"network": "estimator.skops", "probability": True})),
        ("boosting", lambda one: one.update(preparation="estimator.skops")),
        ("boosting", lambda one: one.update(features=[{"name": "hour", "type": "date"}])),
        ("boosting", lambda one: one.update(members="none")),
        ("boosting", lambda one: one.update(estimator={"blend": {"weights": [], "intercept": 0, "log_odds": 0}})),
        ("boosting", lambda one: one.update(calibration={"spline": {}})),
        ("platt", lambda one: one["calibration"].update(isotonic={})),
        ("platt", lambda one: one["calibration"]["platt"].update(slope="steep")),
        ("isotonic", lambda one: one["calibration"]["isotonic"]["score"].append(1.0)),
        ("isotonic", lambda one: one["calibration"]["isotonic"].update(score=[], probability=[])),
        ("voting for classification", lambda one: one["estimator"]["blend"]["weights"].append(1.0)),
        ("voting for classification", lambda one: one["members"].pop()),
        ("voting for classification", lambda one: one.update(members=[])),
    ],
)
def test_a_structure_that_is_none_of_ours_is_refused(stored, name, change):
    structure, files = json.loads(json.dumps(stored[name][0])), stored[name][1]
    change(structure)

    with pytest.raises(ModelError, match=r"the artifact|platt or isotonic"):
        open_predictor(structure, files, "the artifact")


def test_files_beyond_or_short_of_the_structure_are_refused(stored):
    structure, files = stored["boosting"]

    for result in (files | {"extra.skops": b""}, {"estimator.skops": files["estimator.skops"]}):
        with pytest.raises(ModelError, match=r"names the files \['estimator.skops', 'preparation.skops'\]"):
            open_predictor(structure, result, "the artifact")


def test_the_list_names_each_type_exactly():
    assert not [name for name in ALLOWED_TYPES if "*" in name or name.endswith(".")]
    assert not ALLOWED_TYPES & {"builtins.eval", "builtins.getattr", "operator.attrgetter", "builtins.set"}


def test_a_type_outside_the_list_is_refused_by_name(stored):
    structure, files = stored["boosting"]
    foreign = skops.io.dumps({"mean": np.mean})

    with pytest.raises(ModelError, match=r"estimator.skops holds .*numpy"):
        open_predictor(structure, files | {"estimator.skops": foreign}, "the artifact")
    with pytest.raises(ModelError, match="is no skops file"):
        open_predictor(structure, files | {"estimator.skops": b"\x80\x04."}, "the artifact")
    renamed = json.loads(json.dumps(structure)) | {"estimator": {"skops": "estimator.bin"}}
    others = {"preparation.skops": files["preparation.skops"], "estimator.bin": foreign}
    with pytest.raises(ModelError, match=r"estimator.bin holds .*numpy"):
        open_predictor(renamed, others, "the artifact")


def _forest():
    task, model = CANDIDATES["forest"]
    return fit(model, examples(task), features=FEATURES, task=task, seed=0).estimator


def _boosting():
    task, model = CANDIDATES["boosting"]
    return fit(model, examples(task), features=FEATURES, task=task, seed=0).estimator


@pytest.mark.parametrize(
    ("field", "value"),
    [("left_child", 10**6), ("right_child", -5), ("left_child", 0), ("feature", 10**6), ("feature", -2)],
)
def test_a_tree_whose_indices_lead_elsewhere_is_refused(field, value):
    """scikit-learn follows them without a look: out of the tree, in a circle, or out of the row."""
    forest = _forest()
    tree = forest.estimators_[2].tree_
    state = tree.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"][field][0] = value
    tree.__setstate__(state)

    content = dump_part(forest)

    require_allowed_types(content, "forest.skops")  # its types are in order
    with pytest.raises(ModelError, match="nodes that lead outside of it, or read no input"):
        require_sound_trees(forest, "forest.skops")


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 10**6), ("is_categorical", 1)]
)
def test_so_is_one_of_boosting(field, value):
    boosting = _boosting()
    nodes = boosting._predictors[3][0].nodes
    nodes[field][0] = value

    with pytest.raises(ModelError, match="nodes that lead outside of it, or read no input"):
        require_sound_trees(boosting, "boosting.skops")


def test_trees_of_ours_are_sound():
    require_sound_trees(_forest(), "forest.skops")
    require_sound_trees(_boosting(), "boosting.skops")


def test_a_planted_tree_is_refused_when_it_is_opened(stored):
    structure, files = stored["platt"]
    forest = _forest()
    state = forest.estimators_[0].tree_.__getstate__()
    state["nodes"] = state["nodes"].copy()
    state["nodes"]["left_child"][0] = 10**6
    forest.estimators_[0].tree_.__setstate__(state)

    with pytest.raises(ModelError, match=r"estimator.skops holds a tree"):
        open_predictor(structure, files | {"estimator.skops": dump_part(forest)}, "the artifact")

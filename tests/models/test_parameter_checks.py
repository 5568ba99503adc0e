"""Values of parameters are judged without an estimator's class as the class itself judges them."""

import re
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import is_classifier

from nightjar.models.estimators.estimator_registry import import_class
from nightjar.models.estimators.interfaces import FILE, interfaces
from nightjar.models.estimators.parameter_checks import check_parameters

OF_SKLEARN = [name for name, one in interfaces().items() if name.startswith("sklearn.") and one.parameters]
CONSTRAINTS = [one for of_class in interfaces().values() for many in of_class.parameters.values() for one in many]
WORDS = sorted({word for one in CONSTRAINTS if isinstance(one, dict) for word in one.get("options", [])})
EDGES = [0, 0.0, 0.5, 1, 1.0, 2, 255, 256, float("inf"), float("-inf"), float("nan"), -1, 1e-9]
EDGES += [None, True, "", "wings", *WORDS, [], [0.5], {}, {True: 2.0}, len]
VALUES = st.sampled_from(EDGES) | st.integers() | st.floats() | st.text(max_size=3) | st.lists(st.floats(), max_size=2)


def verdict(check):
    """What a check says, with the options of texts, which scikit-learn names in any order, sorted."""
    try:
        check()
    except ValueError as error:
        return re.sub(r"among \{(.*?)\}", lambda found: str(sorted(found[1].split(", "))), str(error))
    return None


def judge_alike(class_name, parameters):
    """Compare with the class: what is refused, in which words, and whether there are probabilities."""
    interface, estimator = interfaces()[class_name], import_class(class_name)(**parameters)
    refusal = verdict(lambda: check_parameters(class_name, parameters))
    assert refusal == verdict(estimator._validate_params)
    if refusal is None:
        gives = hasattr(estimator, "predict_proba") or not is_classifier(estimator)
        assert interface.gives_probabilities(parameters) == gives


@pytest.mark.parametrize("class_name", OF_SKLEARN)
def test_edges_are_judged_as_the_class_itself_judges_them(class_name):
    for name in interfaces()[class_name].parameters:
        for value in EDGES:
            judge_alike(class_name, {name: value})


@given(class_name=st.sampled_from(OF_SKLEARN), draws=st.lists(st.tuples(st.integers(0, 99), VALUES), max_size=3))
def test_any_values_are_judged_as_the_class_itself_judges_them(class_name, draws):
    names = sorted(interfaces()[class_name].parameters)
    judge_alike(class_name, {names[number % len(names)]: value for number, value in draws})


@pytest.mark.parametrize("class_name", list(interfaces()))
def test_defaults_are_values_that_may_be_set(class_name):
    parameters = import_class(class_name)().get_params()
    check_parameters(class_name, {name: parameters[name] for name in interfaces()[class_name].parameters})


def test_the_interfaces_are_those_of_the_installed_version():
    written_from = re.search(r'"scikit-learn": "(.*)"', FILE.read_text())
    assert written_from, FILE
    assert written_from[1] == version("scikit-learn"), "run scripts/docs"

import math

import pytest

from nightjar.settings.model import Estimator, Model, Range

FOREST = {"estimator": Estimator.FOREST}


def test_a_space_is_lists_of_values_and_ranges_of_numbers():
    model = Model(
        Estimator.NETWORK,
        space={
            "hidden": [[64, 32], [128]],
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "epochs": {"low": 5, "high": 20, "whole": True},
        },
    )

    assert model.space == {
        "hidden": [[64, 32], [128]],
        "learning_rate": Range(1e-4, 1e-2, log=True),
        "epochs": Range(5, 20, whole=True),
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (FOREST | {"parameters": {"max_depth": 3}, "space": {"max_depth": [3]}}, r"space: found \['max_depth'\]"),
        (FOREST | {"space": {"max_depth": []}}, r"space.max_depth: found \[\], expected at least one entry"),
        (FOREST | {"space": {"max_depth": 3}}, "space.max_depth: found 3, expected a list of values, or {low, high"),
        (FOREST | {"space": {"max_depth": {"from": 1}}}, "space.max_depth.from: there is no such key, expected one of"),
        (FOREST | {"space": {"max_depth": {"low": 1}}}, "space.max_depth.high: has no value, and needs one"),
        (FOREST | {"space": {"max_depth": {"low": 2, "high": 2}}}, "found 2, expected more than low = 2"),
        (FOREST | {"space": {"max_depth": {"low": 0, "high": 2, "log": True}}}, "more than 0 with log: true"),
        (FOREST | {"space": {"max_depth": {"low": 0.5, "high": 2, "whole": True}}}, "found 0.5, expected a whole"),
        (
            FOREST | {"space": {"max_depth": {"low": 1, "high": 2, "log": "maybe"}}},
            "found 'maybe', expected true or false",
        ),
        (FOREST | {"space": {"max_depth": {"low": 1, "high": math.inf}}}, "found inf, expected a finite number"),
        (FOREST | {"space": {"max_depth": {"low": True, "high": 2}}}, "found True, expected a number"),
        (FOREST | {"members": ["a"]}, r"members: found \['a'\], expected no members for this estimator"),
        ({"estimator": Estimator.BAGGING}, "expected exactly one candidate's name"),
        ({"estimator": Estimator.VOTING, "members": ["a"]}, "expected at least two candidates' names"),
        (
            {"estimator": Estimator.STACKING, "members": ["a", "a"]},
            r"members: found \['a'\], expected each candidate once",
        ),
        ({"estimator": Estimator.SKLEARN}, "class_name: found None, expected a name for estimator=sklearn"),
        (FOREST | {"class_name": "sklearn.svm.SVC"}, "none for other estimators"),
    ],
)
def test_what_is_no_model_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Model(**options)

"""Every combination of a grid is one candidate with a name of its own."""

from nightjar.learning.candidates import expand
from nightjar.settings.learning import Estimator, Model, Search


def test_a_grid_expands_in_order_and_a_model_without_one_keeps_its_name():
    grid = {"learning_rate": [0.1, 0.2], "max_depth": [2, 3]}
    search = Search(
        {
            "majority": Model(Estimator.MAJORITY, baseline=True),
            "boosting": Model(Estimator.BOOSTING, parameters={"max_iter": 5}, grid=grid, drop=["site"]),
        }
    )
    found = {candidate.name: candidate.model for candidate in expand(search)}
    assert {name: model.parameters for name, model in found.items()} == {
        "majority": {},
        "boosting-1": {"max_iter": 5, "learning_rate": 0.1, "max_depth": 2},
        "boosting-2": {"max_iter": 5, "learning_rate": 0.1, "max_depth": 3},
        "boosting-3": {"max_iter": 5, "learning_rate": 0.2, "max_depth": 2},
        "boosting-4": {"max_iter": 5, "learning_rate": 0.2, "max_depth": 3},
    }
    assert all(model.grid == {} for model in found.values())
    assert found["boosting-4"].drop == ["site"]

"""GPUs of a search: shared out evenly, and missed before anything is fitted."""

import pytest

from learning import problems
from nightjar.errors import LearningError
from nightjar.learning.search import tune
from nightjar.learning.search.gpus import gpu_share
from nightjar.settings.model import Estimator, Model

NETWORK = Model(Estimator.NETWORK, parameters={"gpu": True})


@pytest.mark.parametrize(
    ("models", "resources", "share"),
    [
        ([problems.MAJORITY], {"CPU": 4.0, "GPU": 1.0}, 0.0),
        ([problems.MAJORITY, NETWORK], {"CPU": 16.0, "GPU": 1.0}, 0.0625),
        ([NETWORK], {"CPU": 3.0, "GPU": 1.0}, 0.3333),
        ([NETWORK], {"CPU": 2.0, "GPU": 4.0}, 1.0),
        ([Model(Estimator.NETWORK, space={"gpu": [False, True]})], {"CPU": 2.0, "GPU": 1.0}, 0.5),
    ],
)
def test_each_processors_worker_takes_an_equal_share(models, resources, share):
    assert gpu_share(models, resources) == share


def test_a_search_without_the_gpu_it_asks_for_does_not_start(ray_started, tmp_path):
    settings = problems.search(candidates={"majority": problems.MAJORITY, "network": NETWORK})
    with pytest.raises(LearningError, match="Ray's cluster has no GPU"):
        tune.run(problems.problem(), settings, tmp_path, "c1")
    assert list(tmp_path.iterdir()) == []

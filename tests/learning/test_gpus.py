"""GPUs of a search: shared out evenly, and missed before anything is fitted."""

import pytest
import ray
import torch

from learning import problems
from nightjar.errors import LearningError
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


def test_a_search_without_the_gpu_it_asks_for_does_not_start(monkeypatch, tmp_path):
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    settings = problems.search(candidates={"majority": problems.MAJORITY, "network": NETWORK})
    with pytest.raises(LearningError, match="Ray's cluster has no GPU"):
        problems.run(problems.problem(), settings, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".jsonl"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device, and torch finds none on this machine")
def test_networks_that_share_the_gpu_are_worth_about_what_a_processors_are(ray_started, tmp_path):
    parameters = {"hidden": [8], "epochs": 5, "batch_size": 64, "learning_rate": 0.01}
    networks = {
        name: Model(Estimator.NETWORK, parameters=parameters | {"gpu": name == "gpu"}) for name in ("gpu", "processor")
    }
    settings = problems.search(candidates={"majority": problems.MAJORITY, **networks})
    result = problems.run(problems.problem(), settings, tmp_path)
    mean = {candidate.name: result.mean(candidate) for candidate in result.results}
    assert mean["gpu"] == pytest.approx(mean["processor"], abs=0.02)
    assert mean["gpu"] > mean["majority"] + 0.2

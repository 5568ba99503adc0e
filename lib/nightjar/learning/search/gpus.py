"""The share of a GPU that each fit of a search takes."""

from collections.abc import Iterable, Mapping

from nightjar.errors import LearningError
from nightjar.settings.model import Model


def gpu_share(models: Iterable[Model], resources: Mapping[str, float]) -> float:
    """An equal share for each processor's worker, and at most a whole one; 0 where no model is fitted on a GPU.

    Only machines with a GPU take part in such a search. The process that judges the winner needs one as well.

    Args:
        models: what is fitted.
        resources: Ray's name of a resource -> how much the cluster has.

    Raises:
        LearningError: a model is fitted on a GPU, and the cluster has none.
    """
    if not any(model.uses_gpu() for model in models):
        return 0.0
    gpus = resources.get("GPU", 0.0)
    if not gpus:
        raise LearningError(
            "A candidate's parameter gpu is true, and Ray's cluster has no GPU: start Ray where there is one, or leave "
            "gpu out."
        )
    ten_thousandths = int(10_000 * gpus / max(1.0, resources.get("CPU", 1.0)))  # Ray counts no smaller parts
    return min(1.0, ten_thousandths / 10_000)

"""The batches of candidates of a search: all at once, or one after another where results decide what is proposed."""

from nightjar.learning.fitting.candidates import candidate_of
from nightjar.learning.search.proposals import Batches, by_key, expand, model_names
from nightjar.settings.learning import ProposalKind, Search


def batches(search: Search) -> Batches:
    """Yield the candidates that are no baselines, batch by batch; the sender returns their values. Names are unique.

    A point that is drawn or proposed again is not tried again: the first candidate of equal ones is used.

    Raises:
        LearningError: a grid over a range.
    """
    names = model_names(search, baseline=False)
    spaces = [name for name in names if search.candidates[name].space]
    if search.proposals.kind is ProposalKind.TPE and spaces:
        from nightjar.learning.search.tpe import tpe_batches  # noqa: PLC0415  (each worker would import Optuna)

        yield from tpe_batches(search, spaces, [candidate_of(search, name) for name in names if name not in spaces])
    else:
        candidates = [candidate for name in names for candidate in expand(search, name)]
        yield list(by_key(candidates).values())

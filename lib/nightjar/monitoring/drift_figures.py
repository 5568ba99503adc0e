"""How far counts of a night, or of several, are from a reference, in all measures that table drift has."""

from collections.abc import Sequence

import numpy as np

from nightjar.evaluation import divergences
from nightjar.evaluation.distances import chi_squared, kolmogorov_smirnov, psi, psi_p_value
from nightjar.evaluation.histograms import Counts
from nightjar.monitoring.drift_references import Reference

GROUPS = 10
"""Groups of equal mass for PSI of numbers."""
CERTAIN = 20
"""A level is missed of which so many independent rows were expected, and none came: chance does it twice in 1e9."""


def distances(reference: Reference, actual: Counts, special: tuple[int, int] | None = None) -> dict[str, float | None]:
    """Every distance between two histograms of one column, and what is told apart besides; nulls come first in both.

    Args:
        reference: what is expected.
        actual: counts in its bins.
        special: rows with NaN, and with infinite numbers; None: not counted, or there can be none.
    """
    expected, numeric = reference.counts, reference.bins.kind == "numeric"
    groups = GROUPS if numeric else None
    test = (kolmogorov_smirnov if numeric else chi_squared)(expected, actual)
    name = "ks" if numeric else "chi_squared"
    figures = {
        "psi": psi(expected, actual, groups),
        "psi_p_value": psi_p_value(expected, actual, groups, design_effect=reference.design_effect),
        name: test.statistic,
        f"{name}_p_value": test.p_value,
        "jensen_shannon": divergences.jensen_shannon(expected, actual),
        "kl": divergences.kullback_leibler(expected, actual),
        "hellinger": divergences.hellinger(expected, actual),
        "total_variation": divergences.total_variation(expected, actual),
        "l_infinity": divergences.l_infinity(expected, actual),
    }
    if numeric:
        figures["wasserstein"] = divergences.wasserstein(reference.bins, expected, actual)
    return _shares(reference, actual, special) | figures


def window_distances(reference: Reference, actual: Counts) -> dict[str, float | None]:
    """The distances of several nights together: rows of many nights need no test."""
    groups = GROUPS if reference.bins.kind == "numeric" else None
    return {
        "null_share": _share(actual[:1], actual),
        "psi": psi(reference.counts, actual, groups),
        "jensen_shannon": divergences.jensen_shannon(reference.counts, actual),
    }


def anchor_distances(anchor: Counts, reference: Reference, actual: Counts) -> dict[str, float | None]:
    """How far rows are from what the first version on these bins was trained on."""
    groups = GROUPS if reference.bins.kind == "numeric" else None
    return {"psi": psi(anchor, actual, groups), "jensen_shannon": divergences.jensen_shannon(anchor, actual)}


def _shares(reference: Reference, actual: Counts, special: tuple[int, int] | None) -> dict[str, float | None]:
    """What is told apart from the distances: rows without a value, outside the range, of levels new or gone."""
    figures: dict[str, float | None] = {"null_share": _share(actual[:1], actual)}
    expected = reference.special
    if special is not None and (any(special) or (expected is not None and expected.sum())):
        rows = int(actual.sum())
        figures |= {"nan_share": special[0] / rows, "infinite_share": special[1] / rows} if rows else {}
    if reference.bins.kind == "numeric":
        figures |= {"below_share": _share(actual[1:2], actual), "above_share": _share(actual[-1:], actual)}
    else:
        figures |= {"new_share": _share(actual[-1:], actual), "vanished": float(len(vanished(reference, actual)))}
    return figures | {"distinct": float((actual[1:] > 0).sum())}


def vanished(reference: Reference, actual: Counts) -> Sequence[str]:
    """The levels of which so many rows were expected that chance does not explain that none came."""
    expected = reference.counts[1:-1] / max(reference.counts.sum(), 1) * actual.sum() / reference.design_effect
    gone = (actual[1:-1] == 0) & (expected >= CERTAIN)
    return [level for level, is_gone in zip(reference.bins.levels, gone, strict=False) if is_gone]


def is_constant(reference: Reference, actual: Counts) -> bool:
    """Whether all rows are in one bin, which the reference's are not: of its rows less than nine tenths are in any."""
    whole = reference.counts.sum()
    varied = bool(whole) and float(np.max(reference.counts)) < 0.9 * whole
    return varied and int((actual > 0).sum()) == 1 and actual.sum() / reference.design_effect >= CERTAIN


def is_far(reference: Reference, mean: float | None) -> bool:
    """Whether a night's mean lies outside the training's range by more than the width of that range: what moves slowly
    does not get there, what was garbled does.
    """
    edges = reference.bins.edges
    width = edges[-1] - edges[0] if len(edges) > 2 else 0.0
    return mean is not None and width > 0 and not edges[0] - width <= mean <= edges[-1] + width


def _share(some: Counts, actual: Counts) -> float | None:
    return float(some.sum() / actual.sum()) if actual.sum() else None

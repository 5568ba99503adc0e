"""Cumulative sums as they are written down: one night after the other."""


def sums_of(deviations, allowance):
    """S = max(0, S + z - k), and the night after the last zero before each sum above 0."""
    total, sums, since, starts = 0.0, [], None, []
    for place, deviation in enumerate(deviations):
        since = place if total == 0 else since
        total = max(0.0, total + deviation - allowance)
        sums.append(total)
        starts.append(since if total else None)
    return sums, starts

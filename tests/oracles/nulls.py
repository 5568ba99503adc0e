"""How rare a night's distance is, as it reads: one loop a night, one a column; without drawing rows down."""

from collections import Counter
from datetime import timedelta
from math import sqrt
from statistics import mean, variance

from scipy.stats import t

SPANS, EARLIEST, RARE = (1, 5), 28, (0.005, 0.05)


def distances_of(dates, counts, lag_days, distance):
    """{date: distance} of each night from all nights at least `lag_days` before it, where those are enough."""
    result = {}
    for night, actual in zip(dates, counts, strict=True):
        past = [one for date, one in zip(dates, counts, strict=True) if date <= night - timedelta(lag_days)]
        if len(past) >= max(EARLIEST, len(dates) // 5):
            result[night] = distance([sum(bin_) for bin_ in zip(*past, strict=True)], list(actual))
    return result


def blocks_of(nights):
    """{date: block of 28 days, or of a quarter of all days}."""
    nights = sorted(nights)
    length = max(1, min(28, ((nights[-1] - nights[0]).days + 1) // 4))
    return {night: (night - nights[0]).days // length for night in nights}


def usual_of(distances, least=0.005):
    """The mean of each weekday, and the deviation around the means."""
    means = {day: mean(d for n, d in distances.items() if n.weekday() == day) for day in range(7)}
    return means, deviation((d - means[n.weekday()] for n, d in distances.items()), least)


def deviation(residuals, least):
    return max(sqrt(mean(one**2 for one in residuals)), least)


def studentised_of(distances):
    """{date: value}: beyond the mean of its weekday, over the deviation, of the nights in other blocks."""
    block, result = blocks_of(distances), {}
    for night, distance in distances.items():
        means, scale = usual_of({n: d for n, d in distances.items() if block[n] != block[night]})
        result[night] = (distance - means[night.weekday()]) / scale
    return result


def without_spike(values):
    """Their mean, with the second greatest in place of the greatest."""
    ordered = sorted(values)
    return mean([*ordered[:-1], ordered[-2]])


def greatest(columns, block):
    """{date: the greatest of all columns, as rare by all nights' degrees of freedom as by those of other blocks}."""
    nights = list(columns[0])
    sizes = Counter(block[night] for night in nights)
    whole = [number for number, size in sizes.items() if 2 * size > max(sizes.values())]
    spread = []
    for one in columns:
        squares = [mean(one[night] ** 2 for night in nights if block[night] == number) for number in whole]
        spread.append(variance(square / mean(squares) for square in squares))
    freedom = 2 / (mean(spread) * max(sizes.values()) / len(nights))
    result = {}
    for night in nights:
        most = max(one[night] for one in columns)
        of_others = freedom * (len(nights) - sizes[block[night]]) / len(nights)
        result[night] = t.isf(t.sf(most, of_others), freedom)
    return result


def maxima(columns, reach):
    """{date: the greatest over columns and spans}; of nights that have all spans.

    Args:
        columns: {date: studentised value} of each.
        reach: of values and a share, what so many are beyond.
    """
    block = blocks_of(columns[0])
    of_one = greatest(columns, block)
    spans = [of_one]
    for span in SPANS[1:]:
        of_span = []
        for studentised in columns:
            nights = list(studentised)
            windows = {nights[i]: nights[i - span + 1 : i + 1] for i in range(span - 1, len(nights))}
            means = {night: without_spike(studentised[one] for one in window) for night, window in windows.items()}
            scales = {
                number: deviation((m for n, m in means.items() if block[n] != number), 1e-3)
                for number in set(block.values())
            }
            of_span.append({night: one / scales[block[night]] for night, one in means.items()})
        means = greatest(of_span, block)
        unit = reach(list(means.values()), RARE[1]) / reach(list(of_one.values()), RARE[0])
        spans.append({night: one / unit for night, one in means.items()})
    return {night: max(one[night] for one in spans) for night in spans[-1]}

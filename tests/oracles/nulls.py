"""How rare a night's distance is, as it reads: one loop a night, one a column; without drawing rows down."""

from datetime import timedelta
from math import sqrt
from statistics import mean

SPANS, CAP, EARLIEST = (1, 5), 6.0, 28


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


def maxima(columns):
    """{date: the greatest over columns and spans}; of nights that have all spans."""
    by_column = []
    for studentised in columns:
        nights, block = list(studentised), blocks_of(studentised)
        spans = {night: [studentised[night]] for night in nights}
        for span in SPANS[1:]:
            capped = [max(-CAP, min(CAP, studentised[night])) for night in nights]
            means = {nights[i]: mean(capped[i - span + 1 : i + 1]) for i in range(span - 1, len(nights))}
            for night, one in means.items():
                scale = deviation((m for n, m in means.items() if block[n] != block[night]), 1e-3)
                spans[night].append(one / scale)
        by_column.append({night: max(values) for night, values in spans.items() if len(values) == len(SPANS)})
    return {night: max(one[night] for one in by_column) for night in by_column[0]}


def window_maxima(dates, columns, lag_days, days, distance):
    """{date: the greatest over columns of the window that ends there, by windows without a night of its block's}."""
    by_column = []
    for counts in columns:
        of = dict(zip(dates, counts, strict=True))
        distances = {}
        for night in distances_of(dates, counts, lag_days, distance):
            past = [one for day, one in of.items() if day <= night - timedelta(lag_days)]
            window = [of[night - timedelta(back)] for back in range(days)]
            distances[night] = distance(*([sum(bin_) for bin_ in zip(*side, strict=True)] for side in (past, window)))
        block, studentised = blocks_of(distances), {}
        for night, value in distances.items():
            mine = [one for one in distances if block[one] == block[night]]
            others = [
                one
                for day, one in distances.items()
                if day + timedelta(days) <= mine[0] or day >= mine[-1] + timedelta(days)
            ]
            studentised[night] = (value - mean(others)) / deviation((one - mean(others) for one in others), 0.005)
        by_column.append(studentised)
    return {night: max(one[night] for one in by_column) for night in by_column[0]}

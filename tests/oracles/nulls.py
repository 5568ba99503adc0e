"""How rare a night's distance is, as it reads: one loop a night, one a column; without drawing rows down."""

from datetime import timedelta
from math import sqrt
from statistics import mean

SPANS, CAP, EARLIEST = (1, 3, 7), 4.0, 28


def distances_of(dates, counts, lag_days, distance):
    """{date: distance} of each night from all nights at least `lag_days` before it, where those are enough."""
    result = {}
    for night, actual in zip(dates, counts, strict=True):
        past = [one for date, one in zip(dates, counts, strict=True) if date <= night - timedelta(lag_days)]
        if len(past) >= max(EARLIEST, len(dates) // 5):
            result[night] = distance([sum(bin_) for bin_ in zip(*past, strict=True)], list(actual))
    return result


def studentised_of(distances):
    """{date: value}: beyond the mean of the other nights of its weekday, over the deviation of the other nights."""
    residuals = {
        night: one - mean(d for n, d in distances.items() if n != night and n.weekday() == night.weekday())
        for night, one in distances.items()
    }
    return over_others(residuals, 0.005)


def over_others(values, least):
    def deviation(night):
        others = [one for n, one in values.items() if n != night]
        return sqrt(sum(one**2 for one in others) / (len(others) - 1))

    return {night: one / max(deviation(night), least) for night, one in values.items()}


def maxima(columns):
    """{date: the greatest over columns and spans}; of nights that have all spans."""
    by_column = []
    for studentised in columns:
        nights = list(studentised)
        spans = {night: [studentised[night]] for night in nights}
        for span in SPANS[1:]:
            capped = [max(-CAP, min(CAP, studentised[night])) for night in nights]
            means = {nights[i]: mean(capped[i - span + 1 : i + 1]) for i in range(span - 1, len(nights))}
            for night, one in over_others(means, 1e-3).items():
                spans[night].append(one)
        by_column.append({night: max(values) for night, values in spans.items() if len(values) == len(SPANS)})
    return {night: max(one[night] for one in by_column) for night in by_column[0]}

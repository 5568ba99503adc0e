"""Nights of columns that vary a little from one to the next."""

from datetime import date, timedelta

import numpy as np

FIRST = date(2024, 1, 1)
NAMES = ("speed", "weight", "wind")


def nights_of(random, nights, rows, columns=NAMES, deviation=0.1):
    """Counts of columns in ten bins beside nulls and ends: each night shifts the shares of its rows a little."""
    result = {}
    for name in columns:
        tilt = deviation * random.normal(size=(nights, 1)) * np.linspace(-1.5, 1.5, 10)
        share = np.exp(tilt) / np.exp(tilt).sum(axis=1, keepdims=True)
        result[name] = np.pad(random.multinomial(rows, share), ((0, 0), (2, 1)))
    return result


def dates_of(nights, first=FIRST):
    return [first + timedelta(days) for days in range(nights)]

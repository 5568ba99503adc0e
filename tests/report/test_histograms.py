import numpy as np
import pyarrow as pa
import pytest

from nightjar.evaluation.histograms import Bins, count, fit_bins
from nightjar.report.histograms import Slot, alone, compare, slot_edges


def test_few_bins_keep_their_own_slots():
    bins = Bins("numeric", edges=(0.0, 1.0, 2.0))
    #                             null, below, 0, 1, above
    shape = compare(bins, reference=[2, 0, 4, 4, 0], night=[0, 0, 1, 2, 1])

    assert shape.slots == (
        Slot("0 to 1", "0", 0.4, 0.25),
        Slot("1 to 2", "1", 0.4, 0.5),
        Slot("2 and above", "≥", 0.0, 0.25),
    )
    assert (shape.reference_nulls, shape.night_nulls) == (0.2, 0.0)


def test_rare_levels_are_drawn_as_one():
    bins = Bins("categorical", levels=tuple("abcdefghij"))
    reference, night = [0, *range(20, 10, -1), 0], [0] * 11 + [5]

    shape = compare(bins, reference, night)

    assert [slot.label for slot in shape.slots] == [*"abcdefgh", "all other levels"]
    assert shape.slots[-1].night == 1.0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e7])
def test_spreading_loses_no_rows(scale):
    random = np.random.default_rng(3)
    trained, night = (pa.array(random.lognormal(size=n) * scale) for n in (5_000, 300))
    bins = fit_bins(trained)

    shape = compare(bins, count(bins, trained), count(bins, night))

    assert 10 <= len(shape.slots) <= 32
    assert sum(slot.reference for slot in shape.slots) == pytest.approx(1)
    assert sum(slot.night for slot in shape.slots) == pytest.approx(1)


def test_even_spreading_gives_the_histogram_of_the_values():
    bins = fit_bins(pa.array(np.linspace(0, 1, 10_001)))
    values = np.random.default_rng(5).random(2_000)

    counts = count(bins, pa.array(values))
    shape = compare(bins, counts, counts)

    inner = [slot for slot in shape.slots if slot.tick not in "<≥" or not slot.tick]
    assert [slot.night for slot in inner] == pytest.approx([0.05] * len(inner), abs=0.015)


def test_one_value_for_nearly_all_rows_can_be_drawn():
    values = pa.array([0.0] * 9_900 + list(range(1, 101)))
    bins = fit_bins(values)

    shape = compare(bins, count(bins, values), count(bins, values))

    assert sum(slot.night for slot in shape.slots) == pytest.approx(1)


def test_scores_without_a_reference():
    shape = _alone([0.0, 0.49, 0.51, 1.0], 0.0, 1.0)

    assert len(shape.slots) == 20
    assert [slot.night for slot in shape.slots if slot.night] == [0.25] * 4
    assert {slot.reference for slot in shape.slots} == {None}


def test_amounts_without_a_reference_lie_between_their_least_and_their_greatest():
    shape = _alone([-100.0, 0.0, 100.0], -100.0, 100.0)

    assert [(slot.label, slot.night) for slot in shape.slots if slot.night] == [
        ("-100 to -90", pytest.approx(1 / 3)), ("0 to 10", pytest.approx(1 / 3)), ("90 to 100", pytest.approx(1 / 3))
    ]  # fmt: skip


def _alone(values, low, high):
    edges = slot_edges(low, high)
    return alone(np.histogram(values, edges)[0], edges)

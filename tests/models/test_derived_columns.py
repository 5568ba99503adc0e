import numpy as np
import pytest

from nightjar.errors import LearningError
from nightjar.models.preprocessing.derived_columns import ClusterDistances, NearestCluster, maker_step
from nightjar.settings.preparation import Maker, MakerKind

TWO_PLACES = np.array([[0.0, 0.0], [0.0, 2.0], [10.0, 0.0], [10.0, 2.0]])


def test_distances_to_centres_and_the_nearest_one():
    """Centres (0, 1) and (10, 1), in an order that the seed decides."""
    distances, nearest = ClusterDistances(2).fit(TWO_PLACES), NearestCluster(2).fit(TWO_PLACES)
    new = np.array([[0.0, 1.0], [7.0, 5.0]])

    assert sorted(distances.centres_.tolist()) == [[0, 1], [10, 1]]
    np.testing.assert_allclose(np.sort(distances.transform(new)), [[0, 10], [5, np.hypot(7, 4)]])
    assert np.array_equal(nearest.transform(new), distances.transform(new) == distances.transform(new).min(1)[:, None])


def test_derived_columns_come_after_the_existing_ones():
    """Nulls stay for those who can take them; the maker itself sees the median."""
    inputs = np.vstack([TWO_PLACES, [[np.nan, 1.0]]])
    step = maker_step([Maker(MakerKind.CLUSTER, 2), Maker(MakerKind.ISOLATION, 10)], seed=0).fit(inputs)

    outputs = step.transform(inputs)

    np.testing.assert_array_equal(outputs[:, :2], inputs)
    assert outputs[:, 2:4].sum(axis=1).tolist() == [1] * 5
    assert step.get_feature_names_out(["a", "b"]).tolist() == ["a", "b", "cluster0", "cluster1", "isolation"]


def test_columns_of_one_size_decide_together():
    """The second column is a thousand times smaller, and the only one with two groups."""
    inputs = np.column_stack([np.tile([0.0, 1000.0, 2000.0], 20), np.repeat([0.0, 1.0], 30)])
    inputs[:, 0] += np.arange(60)  # spread out, in no group of its own

    groups = maker_step([Maker(MakerKind.CLUSTER, 2)], seed=0).fit_transform(inputs)[:, 2]

    assert len(set(groups[:30])) == len(set(groups[30:])) == 1
    assert groups[0] != groups[-1]


def test_an_outlier_is_set_apart_easily():
    inputs = np.random.default_rng(0).normal(size=(200, 2))
    step = maker_step([Maker(MakerKind.ISOLATION, 50)], seed=0).fit(inputs)

    ordinary, outlier = step.transform(np.array([[0.0, 0.0], [8.0, 8.0]]))[:, 2]

    assert ordinary < 0.5
    assert 0.7 < outlier <= 1


def test_more_clusters_than_rows_are_refused():
    with pytest.raises(LearningError, match="8 clusters cannot be made of 4 training rows"):
        maker_step([Maker(MakerKind.CLUSTER)], seed=0).fit(TWO_PLACES)


def test_components_are_the_directions_of_the_greatest_spread_and_no_more_than_there_are_columns():
    """Two columns that are one, and a third by itself, all of one size: the first direction holds two thirds."""
    x, y = np.random.default_rng(0).normal(size=(2, 500))
    inputs = np.column_stack([x, 2 * x, y])

    components = maker_step([Maker(MakerKind.COMPONENTS, 9)], seed=0).fit_transform(inputs)[:, 3:]

    assert components.shape == (500, 3)
    spread = components.var(axis=0)
    np.testing.assert_allclose(spread, [2, 1, 0], atol=0.15)
    assert abs(np.corrcoef(components[:, 0], x)[0, 1]) > 0.98

"""Columns derived from all prepared ones: clusters, principal components and anomaly scores."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from nightjar.errors import LearningError
from nightjar.models.preprocessing.relevance import Floats
from nightjar.settings.preparation import Maker, MakerKind


class ClusterDistances(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The Euclidean distance to each centre of k-means (Lloyd's, the best of 10 starts).

    Attributes:
        count: of clusters.
        seed: of the starts.
        centres_: (clusters, columns).
    """

    def __init__(self, count: int = 8, seed: int = 0) -> None:
        self.count = count
        self.seed = seed

    def fit(self, inputs: Floats, _label: object = None) -> Self:
        """Find the centres.

        Raises:
            LearningError: there are fewer rows than clusters.
        """
        if len(inputs) < self.count:
            raise LearningError(f"{self.count} clusters cannot be made of {len(inputs)} training rows: make fewer.")
        # Threads would add up their parts of a centre in the order in which they finish.
        with threadpool_limits(1):
            self.centres_ = KMeans(self.count, n_init=10, random_state=self.seed).fit(inputs).cluster_centers_
        return self

    def transform(self, inputs: Floats) -> Floats:
        """The distances, (rows, clusters)."""
        return np.column_stack([np.sqrt(((inputs - centre) ** 2).sum(axis=1)) for centre in self.centres_])

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """`distance0` and so on."""
        return np.array([f"distance{at}" for at in range(self.count)], dtype=object)


class NearestCluster(ClusterDistances):
    """A column for each cluster, 1 for the one with the nearest centre (the first of equals), 0 for the others."""

    def transform(self, inputs: Floats) -> Floats:
        """Zeros and ones, (rows, clusters)."""
        nearest = super().transform(inputs).argmin(axis=1)
        return np.asarray(np.eye(self.count)[nearest])

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """`cluster0` and so on."""
        return np.array([f"cluster{at}" for at in range(self.count)], dtype=object)


class Isolation(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The anomaly score s of Liu, Ting & Zhou, "Isolation Forest", 2008: how few random cuts isolate a row.

    Near 1: an outlier; well below 0.5: none.

    Attributes:
        count: of trees.
        seed: of the cuts.
        forest_: fitted.
    """

    def __init__(self, count: int = 100, seed: int = 0) -> None:
        self.count = count
        self.seed = seed

    def fit(self, inputs: Floats, _label: object = None) -> Self:
        """Grow the forest."""
        self.forest_ = IsolationForest(n_estimators=self.count, random_state=self.seed).fit(inputs)
        return self

    def transform(self, inputs: Floats) -> Floats:
        """The score, (rows, 1)."""
        return -np.asarray(self.forest_.score_samples(inputs))[:, np.newaxis]

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """`isolation`."""
        return np.array(["isolation"], dtype=object)


class Principal(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """The first principal components.

    Attributes:
        count: of components; fewer where there are fewer columns or rows.
        seed: not used; the result is deterministic.
        components_: fitted.
    """

    def __init__(self, count: int = 8, seed: int = 0) -> None:
        self.count = count
        self.seed = seed

    def fit(self, inputs: Floats, _label: object = None) -> Self:
        """Fit the components."""
        self.components_ = PCA(min(self.count, *inputs.shape), svd_solver="full").fit(inputs)
        return self

    def transform(self, inputs: Floats) -> Floats:
        """The components, (rows, count)."""
        return np.asarray(self.components_.transform(inputs))

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """`component0` and so on."""
        return np.array([f"component{at}" for at in range(self.components_.n_components_)], dtype=object)


CLASSES = {
    MakerKind.CLUSTER: NearestCluster,
    MakerKind.CLUSTER_DISTANCES: ClusterDistances,
    MakerKind.ISOLATION: Isolation,
    MakerKind.COMPONENTS: Principal,
}


def maker_step(makers: Sequence[Maker], seed: int) -> Any:
    """An unfitted step that appends the derived columns to the existing ones."""
    derived = [(maker.kind.value, _impute_and_scale(CLASSES[maker.kind](maker.count, seed))) for maker in makers]
    return FeatureUnion([("prepared", "passthrough"), *derived], verbose_feature_names_out=False)


def _impute_and_scale(step: Any) -> Any:
    return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler(), step)

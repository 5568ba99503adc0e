"""Free text as numbers: weights of its terms or of their hashes, optionally reduced to a few dimensions."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.utils.validation import validate_data

from nightjar.settings.columns import Grams, Text, Weighting

Floats = npt.NDArray[np.float64]

ANALYSERS = {Grams.WORD: "word", Grams.CHARACTER: "char_wb"}


def text_steps(settings: Text, seed: int) -> "Terms":
    """An unfitted transformer of a frame of one text column, as `Text` says."""
    return Terms(
        hashing=settings.weighting is Weighting.HASHING,
        analyser=ANALYSERS[settings.grams],
        shortest=settings.shortest,
        longest=settings.longest,
        terms=settings.terms,
        components=settings.components,
        seed=seed,
    )


class Terms(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn's text vectorisers for one column, stored as words and numbers only.

    A text's weights have the Euclidean norm 1, or 0 if it has no learned term or is null. If training had no term at
    all, there are no columns with TF-IDF, and no components. If there are no more terms than components, there is no
    reduction.

    Attributes:
        hashing: whether terms are hashed rather than learned.
        analyser: scikit-learn's name of the analyser.
        shortest, longest: words or characters of a term.
        terms: columns at most, or hashes.
        components: dimensions after the reduction; None: no reduction.
        seed: of the reduction.
        vocabulary_: learned terms in order of columns; None with hashing.
        idf_: log((1 + rows) / (1 + rows with the term)) + 1 of each; None with hashing.
        reduction_: (components, terms), the right singular vectors; None: no reduction.
    """

    def __init__(
        self,
        *,
        hashing: bool = False,
        analyser: str = "word",
        shortest: int = 1,
        longest: int = 1,
        terms: int = 256,
        components: int | None = None,
        seed: int = 0,
    ) -> None:
        self.hashing = hashing
        self.analyser = analyser
        self.shortest = shortest
        self.longest = longest
        self.terms = terms
        self.components = components
        self.seed = seed

    def fit(self, frame: pd.DataFrame, _label: object = None) -> Self:
        """Learn the terms, their weights and the reduction. The frame has one column."""
        validate_data(self, frame, skip_check_array=True)
        self.vocabulary_: list[str] | None = None
        self.idf_: Floats | None = None
        self.reduction_: Floats | None = None
        if not self.hashing:
            self.vocabulary_, self.idf_ = self._learn_terms(_texts(frame))
        weights = self._weights(frame)
        if self.components is not None and weights.shape[1] > self.components:
            self.reduction_ = np.empty((0, weights.shape[1]))
            if weights.nnz:
                self.reduction_ = TruncatedSVD(self.components, random_state=self.seed).fit(weights).components_
        return self

    def transform(self, frame: pd.DataFrame) -> Floats:
        """Weights, or components, (rows, columns), dense."""
        validate_data(self, frame, reset=False, skip_check_array=True)
        weights = self._weights(frame)
        return weights.toarray() if self.reduction_ is None else np.asarray(weights @ self.reduction_.T)

    def get_feature_names_out(self, _input_features: object = None) -> npt.NDArray[np.object_]:
        """The column's name and the term, or the number of the hash or component."""
        if self.reduction_ is not None:
            ends = [f"component{at}" for at in range(len(self.reduction_))]
        elif self.vocabulary_ is None:
            ends = [f"hash{at}" for at in range(self.terms)]
        else:
            ends = list(self.vocabulary_)
        return np.array([f"{self.feature_names_in_[0]}_{end}" for end in ends], dtype=object)

    def _learn_terms(self, texts: list[str]) -> tuple[list[str], Floats]:
        vectoriser = TfidfVectorizer(max_features=self.terms, **self._common())
        analyse = vectoriser.build_analyzer()
        if not any(analyse(text) for text in texts):
            return [], np.empty(0)
        vectoriser.fit(texts)
        return list(vectoriser.get_feature_names_out()), vectoriser.idf_

    def _weights(self, frame: pd.DataFrame) -> Any:
        """A sparse array of weights, (rows, terms)."""
        texts = _texts(frame)
        if self.vocabulary_ is None:
            return HashingVectorizer(n_features=self.terms, alternate_sign=False, **self._common()).transform(texts)
        if not self.vocabulary_:
            return csr_array((len(texts), 0))
        vectoriser = TfidfVectorizer(vocabulary=self.vocabulary_, **self._common())
        vectoriser.idf_ = self.idf_
        return vectoriser.transform(texts)

    def _common(self) -> dict[str, Any]:
        return {"analyzer": self.analyser, "ngram_range": (self.shortest, self.longest), "dtype": np.float64}


def _texts(frame: pd.DataFrame) -> list[str]:
    return list(frame.iloc[:, 0].fillna(""))

import numpy as np
import pandas as pd
import pytest

from nightjar.models.preprocessing.text import text_steps
from nightjar.settings.columns import Grams, Text, Weighting


def frame_of(*texts):
    return pd.DataFrame({"note": np.array(texts, dtype=object)})


def fit_terms(settings, *texts):
    return text_steps(settings, seed=0).fit(frame_of(*texts))


def test_terms_weigh_more_the_fewer_rows_have_them():
    """tf x (ln((1 + rows) / (1 + rows with it)) + 1), to length 1: "late" is in both rows, "crew" in one."""
    terms = fit_terms(Text(), "Late crew", "late")
    crew = 1 + np.log(1.5)

    assert terms.get_feature_names_out().tolist() == ["note_crew", "note_late"]
    np.testing.assert_allclose(
        terms.transform(frame_of("late LATE crew", "unseen", np.nan)),
        [[crew / np.hypot(crew, 2), 2 / np.hypot(crew, 2)], [0, 0], [0, 0]],
    )


@pytest.mark.parametrize(
    ("settings", "terms"),
    [
        (Text(terms=1), ["late"]),
        (Text(shortest=1, longest=2), ["crew", "late", "late crew", "late late"]),
        (Text(grams=Grams.CHARACTER, shortest=4, longest=4), [" cre", " lat", "ate ", "crew", "late", "rew "]),
    ],
)
def test_terms_are_words_or_characters_the_most_frequent_ones(settings, terms):
    assert fit_terms(settings, "late late crew").get_feature_names_out().tolist() == [f"note_{term}" for term in terms]


def test_hashed_terms_need_no_training_text():
    hashed = fit_terms(Text(Weighting.HASHING, terms=8), np.nan)

    result = hashed.transform(frame_of("late crew", "crew late", np.nan))

    assert result.shape == (3, 8)
    assert np.array_equal(result[0], result[1])
    assert np.linalg.norm(result[0]) == pytest.approx(1)
    assert not result[2].any()


def test_components_keep_what_texts_have_in_common():
    """Two subjects, two dimensions: texts of one subject point the same way, those of two at right angles."""
    texts = ["storm snow", "snow storm", "crew sick", "sick crew"]

    reduced = fit_terms(Text(components=2), *texts).transform(frame_of(*texts))

    np.testing.assert_allclose(reduced @ reduced.T, np.kron(np.eye(2), np.ones((2, 2))), atol=1e-12)


def test_no_more_terms_than_components_are_used_as_they_are():
    assert fit_terms(Text(components=2), "late", "late").transform(frame_of("late", "on time")).tolist() == [[1], [0]]


@pytest.mark.parametrize("texts", [[np.nan, np.nan], ["", "a"]])
def test_training_texts_without_a_term_make_no_column(texts):
    for settings in (Text(), Text(components=2), Text(Weighting.HASHING, components=2)):
        assert fit_terms(settings, *texts).transform(frame_of("late", np.nan)).shape == (2, 0)

"""What references hold besides histograms follows from the project."""

from dataclasses import replace

import builders
from nightjar.learning import watching
from nightjar.settings.serving.serving import Serving


def test_what_is_compared_together_is_what_the_model_uses_most_and_nothing_sensitive(tmp_path, monkeypatch):
    """A sample of its values is stored: what nobody is to see is not among them."""
    project = builders.machines(tmp_path)
    names = project.feature_names()
    last = names[-1]
    assert watching._together(project, {last: 0.5}) == [last, *names[:-1]]
    monkeypatch.setattr(watching, "MOST_TOGETHER", 1)
    assert watching._together(project, {last: 0.5}) == [last]
    sensitive = replace(project, serving=Serving(sensitive=[last]))
    assert watching._together(sensitive, {last: 0.5}) == [names[0]]

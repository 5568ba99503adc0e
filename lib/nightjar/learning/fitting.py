"""A candidate fitted on some training rows: sampled, with splits within where it asks for them."""

from nightjar.learning.candidates import Candidate
from nightjar.learning.parts import training_part
from nightjar.learning.rows import TrainingRows
from nightjar.models.estimators import fit
from nightjar.models.examples import Rows
from nightjar.models.predictor import Predictor
from nightjar.settings.learning import Search
from nightjar.settings.project import Project


def fitted(rows: TrainingRows, train: Rows, candidate: Candidate, project: Project, settings: Search) -> Predictor:
    """The candidate, fitted on the rows of these numbers with the search's seed.

    Raises:
        LearningError: it cannot be fitted to them; see `models.estimators.fit` and `training_part`.
    """
    models = [candidate.model, *candidate.members.values()]
    examples = training_part(rows, train, models, settings, project.zone).examples(rows)
    task, seed, members = project.label.task, settings.seed, candidate.members
    return fit(candidate.model, examples, features=rows.columns, task=task, seed=seed, members=members)

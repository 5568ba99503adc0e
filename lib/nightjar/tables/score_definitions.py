"""The table of predictions: its columns are those that the project asks for."""

import pyarrow as pa

from nightjar.settings.project import Project
from nightjar.settings.task import Task
from nightjar.settings.tiers import TierKind
from nightjar.tables.predictions import ABSTAINED, PREDICTION_SET, RAW_SCORE
from nightjar.tables.reasons import REASONS_COLUMN
from nightjar.tables.table import FEED, INSTANT, RUN_DATE, RUN_ID, Column, Table, columns_of, contract

SCORES_CONTRACT = contract(
    1,
    "Columns keep names, types and meanings, and are only added. Of the rows of one prediction_id at most one is "
    "served at each version. A night is replaced whole, in one commit for each role.",
)
SERVED_COLUMNS = (
    Column(
        "served",
        pa.bool_(),
        "whether this row's score is the one that is served for its prediction_id, of which one at most is; null: from "
        "before there was this column, when the champion's was",
    ),
    Column(
        "fallback",
        pa.string(),
        "who has scored it in the place of the version that has the role, which could not: previous champion, or rule; "
        "null: that version itself",
    ),
)


def scores_table(project: Project, spine: pa.Schema) -> Table:
    """The table of predictions; `spine` holds the types of the spine's key columns."""
    return Table(
        "scores",
        "One prediction by one model in one role.",
        ("prediction_id", "role", "model_version"),
        ("run_date", "role"),
        "score",
        (
            Column("prediction_id", pa.string(), "hash of project, key names, types and values"),
            Column("prediction_time", INSTANT, "the prediction uses only what was known at this instant"),
            *columns_of(spine, "key of the row"),
            Column("score", pa.float64(), score_meaning(project)),
            *_class_columns(project),
            *_tier_column(project),
            Column("model_version", pa.string(), "registered version of the model"),
            Column("model_name", pa.string(), "name of the candidate that it is"),
            Column("input_warnings", pa.string(), "sources it needs that brought too little, see quality; null: none"),
            Column(
                "unseen_levels",
                pa.string(),
                "native categories whose level here the model has not seen in training, so that it counts as missing; "
                "null: none",
            ),
            *_assignment_columns(project),
            *SERVED_COLUMNS,
            *_arm_columns(project),
            *((REASONS_COLUMN,) if project.serving.reasons.is_declared() else ()),
            RUN_DATE,
            Column(
                "role",
                pa.string(),
                "champion; challenger and shadow_<version>: beside it; retrospective: by a model that has seen later "
                "data",
            ),
            RUN_ID,
        ),
        {**FEED, **SCORES_CONTRACT},
    )


def _tier_column(project: Project) -> tuple[Column, ...]:
    """Where it is said which rows are acted on: the row's tier."""
    tiers, abstention = project.decision_tiers(), project.serving.abstention
    columns = []
    if tiers or abstention.abstains():
        meaning = (
            "the first tier whose threshold, its group's where groups have their own, the score reaches; null: none"
        )
        columns.append(Column("tier", pa.string(), meaning))
    if any(tier.kind is TierKind.TOP for tier in tiers.values()):
        columns.append(Column(RAW_SCORE, pa.float64(), "score before calibration, by which rows are ranked"))
    if abstention.abstains():
        why = "why nobody should act on the score by itself: out of range, unsure, conformal set; null: no reason"
        columns.append(Column(ABSTAINED, pa.string(), why))
    if abstention.error is not None:
        sets = "the classes that cannot be ruled out for the row; null: UNKNOWN, see abstained"
        columns.append(Column(PREDICTION_SET, pa.list_(pa.string()), sets))
    return tuple(columns)


def _class_columns(project: Project) -> tuple[Column, ...]:
    """What a prediction of several classes has beside its score."""
    classes = project.label.classes
    if not classes:
        return ()
    named = ", ".join(f"{value}: {name}" for value, name in classes.items())
    return (
        Column("predicted", pa.string(), f"the class of the least expected cost ({named})"),
        Column("probabilities", pa.map_(pa.string(), pa.float64()), "of every class, by its value in labels"),
    )


def _assignment_columns(project: Project) -> tuple[Column, ...]:
    """What is said of each row where some are drawn that nobody acts on."""
    if not project.feedback.draws():
        return ()
    meaning = (
        "score: to be acted on by its score; exploration: drawn, and control: of an entity that is drawn for good, "
        "neither of which is to be acted on"
    )
    return (
        Column("assignment", pa.string(), meaning),
        Column("propensity", pa.float64(), "the chance that a row had of its assignment"),
    )


def _arm_columns(project: Project) -> tuple[Column, ...]:
    """Where a challenger may serve some entities: which of the two each row's entity is assigned to."""
    if not project.serving.assigns_arms():
        return ()
    return (
        Column(
            "arm",
            pa.string(),
            "champion or challenger: who is to serve the row's entity, drawn by its hash, whoever served it in the "
            "end; null: there was no challenger",
        ),
        Column("arm_propensity", pa.float64(), "the chance that the entity had of that arm on this night"),
    )


def score_meaning(project: Project) -> str:
    """What a score of a project means, in words."""
    label = project.label
    if label.task is Task.RANKING:
        return f"places the row among those of the same {', '.join(label.query)}: more {label.question()}, higher score"
    if label.task is Task.MULTICLASS:
        return f"probability of predicted: {label.question()}"
    how = "probability that" if label.task is Task.CLASSIFICATION else "value of"
    return f"predicted {how} {label.question()}"

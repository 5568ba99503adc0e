"""The tables that scores lie in, and what is done with them: name, columns, key, partitioning and writing job.

All instants are UTC with microseconds. `run_date` is a local date in the project's zone.
"""

import pyarrow as pa

from nightjar.settings.project import Project
from nightjar.tables.predictions import SERVED
from nightjar.tables.score_definitions import scores_table
from nightjar.tables.table import FEED, INSTANT, RUN_DATE, RUN_ID, Column, Table, columns_of, contract

ALERTS = Table(
    "alerts",
    "One state change of one alert: what somebody should look at, since when, and why.",
    ("alert_id", "changed_at"),
    (),
    "every job",
    (
        Column("alert_id", pa.string(), "names the alert: the same for one kind and subject, from its first night on"),
        Column("changed_at", INSTANT, "when the state was recorded (wall clock)"),
        Column(
            "state",
            pa.string(),
            "new: nobody has acted on it yet; ongoing: it was so on a later night, too; acknowledged: somebody sees to "
            "it; snoozed: no word of it before the night `until`; flapping: it comes and goes, and no word of it is "
            "sent; resolved: it is so no more",
        ),
        Column("kind", pa.string(), "what has happened: fallback, budget, stopped, sink, or the kind of a signal"),
        Column(
            "subject", pa.string(), "what it is about: a role, a step, a model version, a column, a metric, a slice"
        ),
        Column("severity", pa.string(), "warning: look at it today; critical: scores that are served are affected"),
        Column("message", pa.string(), "one or two sentences: what, where, and what to do"),
        Column("evidence", pa.string(), "figures and reasons as JSON"),
        Column("first_seen", pa.date32(), "the first night of which it was so; null: run_date"),
        Column("owner", pa.string(), "who is to look; null: nobody is named"),
        Column("command", pa.string(), "what to run next; null: the message says it, or nothing is to be done"),
        Column("runbook", pa.string(), "where it is written what to do: a path in the repository; null: nowhere"),
        Column("until", pa.date32(), "of snoozed: the night from which on there is word of it again"),
        Column("by", pa.string(), "who has changed the state; null: a job"),
        Column("reason", pa.string(), "why a person has changed it"),
        Column(
            "job", pa.string(), "monitor: it follows from signals; null: a job has raised it as it ran, or a person"
        ),
        RUN_DATE,
        RUN_ID,
    ),
)
NOTIFICATIONS = Table(
    "notifications",
    "One try to hand one state change of one alert to one sink.",
    ("alert_id", "changed_at", "sink", "sent_at"),
    (),
    "every job",
    (
        Column("alert_id", pa.string(), "the alert, see table alerts"),
        Column("changed_at", INSTANT, "which of its state changes"),
        Column("state", pa.string(), "the state of that change, see table alerts"),
        Column("sink", pa.string(), "name of the sink in project.monitoring.alerting.sinks"),
        Column("status", pa.string(), "sent, or failed: it is tried again by the next job"),
        Column("error", pa.string(), "why it has failed; null: it has not"),
        Column("sent_at", INSTANT, "when (wall clock)"),
        RUN_DATE,
        RUN_ID,
    ),
)

INPUTS = Table(
    "inputs",
    "One summary of one feature of one scored night.",
    ("run_date", "role", "column"),
    ("run_date",),
    "score",
    (
        Column("column", pa.string(), "name of the feature"),
        Column("kind", pa.string(), "numeric or categorical"),
        Column("rows", pa.int64(), "rows of the night"),
        Column("nulls", pa.int64(), "rows without a value, or with NaN"),
        Column("infinite", pa.int64(), "rows with an infinite number; they are in no moment"),
        Column("mean", pa.float64(), "of the finite numbers; null: there are none, or it is categorical"),
        Column("std", pa.float64(), "their sample standard deviation; null below two"),
        Column("least", pa.float64(), "the least of them"),
        Column("greatest", pa.float64(), "the greatest of them"),
        Column(
            "counts",
            pa.list_(pa.int64()),
            "rows per bin of the model's training data, see table references: nulls first; of numbers then those below "
            "its least and last those above its greatest value, of levels last those that it did not have",
        ),
        Column("nan", pa.int64(), "of the rows without a value those with NaN; null: not counted"),
        Column("role", pa.string(), "of the scores that were made of them, see table scores"),
        Column("model_version", pa.string(), "the model that scored"),
        RUN_DATE,
        RUN_ID,
    ),
)


EXPERIMENTS = Table(
    "experiments",
    "One figure by which a version that scores beside the champion is compared with it, as of one run date.",
    ("run_date", "model_version", "figure"),
    ("run_date",),
    "monitor",
    (
        Column("model_version", pa.string(), "the version beside the champion: challenger, or shadow"),
        Column("champion_version", pa.string(), "the champion that it is compared with"),
        Column("kind", pa.string(), "randomised: entities of two arms; paired: two scores of each row"),
        Column("figure", pa.string(), "value, the name of a guard, or of a metric"),
        Column("since", pa.date32(), "from this run date on the two are compared"),
        Column("last_night", pa.date32(), "the last night whose entities, or rows, count; null: none does yet"),
        Column("champion_entities", pa.int64(), "of the champion's arm that count; of paired rows their number"),
        Column("challenger_entities", pa.int64(), "the same of the challenger's"),
        Column("waiting", pa.int64(), "entities that are not as old yet as they have to be; of paired rows null"),
        Column("changed", pa.int64(), "entities that changed arm before they counted, and never count; else null"),
        Column("champion_mean", pa.float64(), "of an entity, nights weighted alike in both arms; of paired rows null"),
        Column("challenger_mean", pa.float64(), "the same of the challenger's"),
        Column("difference", pa.float64(), "challenger minus champion; null: nothing to compare yet"),
        Column("low", pa.float64(), "lower bound of the difference; null: there is none"),
        Column("high", pa.float64(), "upper bound; both hold at all nights together, but for the level"),
        Column("level", pa.float64(), "the chance that bounds are ever wrong"),
        Column("deviation", pa.float64(), "of what entities of one night are worth; null: unknown"),
        Column("planned_power", pa.float64(), "chance of having shown the plan's effect by so many nights; else null"),
        Column(
            "verdict",
            pa.string(),
            "open, better, not worse (within the margin), worse, or undecided (the plan's nights are over); of a guard "
            "open (too few entities), holds or breached; null: it cannot be computed",
        ),
        Column("decided_on", pa.date32(), "the run date on which the verdict was first reached; null: it is open"),
        Column("reason", pa.string(), "why it cannot be computed, or has no bounds; null: it has"),
        RUN_DATE,
        RUN_ID,
    ),
)


RETRACTIONS = Table(
    "retractions",
    "One decision that a night is served no more, or that it is served again.",
    ("retraction_id",),
    (),
    "retract, score",
    (
        Column("retraction_id", pa.string(), "names the decision"),
        Column("run_date", pa.date32(), "the night: local date in the project's zone"),
        Column(
            "action",
            pa.string(),
            "retract: no row of the night is served; serve: it has been scored anew since, and is; the last one holds",
        ),
        Column("reason", pa.string(), "why; null: of serve"),
        Column("user", pa.string(), "the user of the operating system who ran the job; null: of serve"),
        Column("by", pa.string(), "on whose behalf; null: nobody's else"),
        Column("recorded_at", INSTANT, "when it was recorded (wall clock)"),
        RUN_ID,
    ),
    contract(1, "Rows are only added. Columns keep names, types and meanings, and are only added."),
)
LATEST_CONTRACT = contract(
    1,
    "One row for each entity that a prediction is served for: the one of the latest prediction time. Columns keep "
    "names, types and meanings, and are only added. Its change feed has a delete or an insert, or both, of each entity "
    "whose served values have changed, and nothing of others.",
)


def latest_table(project: Project, spine: pa.Schema) -> Table:
    """The table of what is served now; `spine` holds the types of the spine's key columns."""
    columns = scores_table(project, spine).columns
    return Table(
        "scores_latest",
        "The prediction that is served for one entity: of all that are, the one of the latest prediction time.",
        tuple(spine.names),
        (),
        "score, promote, retract",
        (
            *(one for one in columns if one.name not in (SERVED, RUN_ID.name)),
            Column(
                "change",
                pa.string(),
                "what has brought these values: new, a prediction that was not here just before; rescored, the same "
                "one by another version or role; corrected, the same one by the same version, of facts or settings "
                "that were corrected later; restored, an earlier one, as the later one is not served any more",
            ),
            Column("run_id", pa.string(), "the run that brought these values first, see table runs"),
        ),
        {**FEED, **LATEST_CONTRACT},
    )


def reviews_table(spine: pa.Schema) -> Table:
    """The table of what reviewers did; `spine` holds the types of the spine's key columns."""
    return Table(
        "reviews",
        "One action of a person on one prediction: what people decide is an answer, never an outcome.",
        ("review_id",),
        (),
        "review",
        (
            Column("review_id", pa.string(), "names the action"),
            Column("prediction_id", pa.string(), "of the prediction, as in scores"),
            Column("number", pa.int64(), "its place among the actions on the prediction, from 1"),
            Column("prediction_time", INSTANT, "of the prediction"),
            *columns_of(spine, "key of the prediction"),
            Column("action", pa.string(), "claim, release, decide, or undo: takes the person's decision back"),
            Column("decision", pa.string(), "of decide: one of project.serving.review.decisions"),
            Column("answer", pa.bool_(), "of decide: what it says of the label's statement; null: nothing"),
            Column("proposal", pa.string(), "of decide: the decision that the tier proposed then; null: none"),
            Column("reason", pa.string(), "why; null: none was given"),
            Column("reviewer", pa.string(), "who did it"),
            Column("recorded_by", pa.string(), "how it was recorded: page, or the user who ran the job"),
            Column("recorded_at", INSTANT, "when it was recorded (wall clock)"),
            Column("claimed_until", INSTANT, "of claim: until when others cannot decide"),
            Column("looks", pa.int64(), "of decide: by how many people the case is to be decided"),
            Column("score", pa.float64(), "of the prediction, as it was then"),
            Column("tier", pa.string(), "the same"),
            Column("model_version", pa.string(), "the same"),
            Column("run_date", pa.date32(), "the night of the prediction"),
            RUN_ID,
        ),
    )

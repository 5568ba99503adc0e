"""The tables by which nights are watched: what the model was trained on, how far a night is from it, how good its
predictions were, and what follows.

All instants are UTC with microseconds. `run_date` is a local date in the project's zone.
"""

import pyarrow as pa

from nightjar.tables.table import RUN_DATE, RUN_ID, Column, Table

WATCHED = "name of the feature, or score; of several classes also predicted class, and of each probability[class]"
REFERENCES = Table(
    "references",
    "One histogram of one column (or the score) of one model's training data, of one of its slices or of one night.",
    ("model_version", "column", "slice", "night"),
    (),
    "train",
    (
        Column("model_version", pa.string(), "registered version of the model"),
        Column(
            "column",
            pa.string(),
            f"{WATCHED}; length(X): characters of the texts of X, where it has more levels than bins; all columns, "
            "all scores, columns together: the row that has the null of features, of scores, or the joint reference, "
            "and no counts",
        ),
        Column("night", pa.date32(), "null: the training data; otherwise the night whose rows were counted"),
        Column("bins", pa.string(), "the bins as JSON; null: of a night or slice, whose bins are those of all rows"),
        Column("counts", pa.list_(pa.int64()), "rows per bin, nulls first"),
        Column(
            "design_effect",
            pa.float64(),
            "how many rows of one night are as alike as one row: 1 where they are independent, all of them where a "
            "night has one value; null: not measured",
        ),
        Column("slice", pa.string(), "the training rows it is about, column=value; null: all"),
        Column(
            "special", pa.list_(pa.int64()), "rows with NaN, minus infinity and infinity; null: it has no such numbers"
        ),
        Column("mean", pa.float64(), "of the finite numbers; null: there are none"),
        Column("std", pa.float64(), "their sample standard deviation; null below two"),
        Column(
            "importance", pa.float64(), "share of what the model uses that is this column's; null: it is no feature"
        ),
        Column(
            "tested",
            pa.bool_(),
            "false: prediction time alone decides the values, so that a change means nothing; null: not looked into",
        ),
        Column(
            "anchor_version",
            pa.string(),
            "the first version that was trained on these bins, whose training data is the anchor; null: none is stored",
        ),
        Column("anchor_counts", pa.list_(pa.int64()), "its rows per bin, nulls first"),
        Column("null_distribution", pa.string(), "how far nights were from their past, as JSON"),
        RUN_ID,
    ),
)
DRIFT = Table(
    "drift",
    "One distance between the rows of one date, or of a window that ends with it, and a reference, as of one run date.",
    ("run_date", "evaluated_date", "window_days", "subject", "slice", "reference", "measure"),
    ("run_date",),
    "monitor",
    (
        Column("evaluated_date", pa.date32(), "the night whose rows were compared, of a window the last one"),
        Column(
            "subject",
            pa.string(),
            f"{WATCHED}; length(X): characters of the texts of X; all columns, all scores: the greatest "
            "of their studentised distances; columns together: how they go with each other",
        ),
        Column("slice", pa.string(), "the rows it is about; all: every row"),
        Column(
            "measure",
            pa.string(),
            "psi, psi_p_value, ks, ks_p_value, chi_squared, chi_squared_p_value, jensen_shannon, kl, hellinger, "
            "total_variation, wasserstein, l_infinity; null_share, nan_share, infinite_share, below_share and "
            "above_share (of the training data's range), new_share (of levels that it did not have), "
            "vanished (levels that were expected and did not come), distinct (bins with rows), maximum (of all "
            "columns); separability, missed (of columns together); docs/monitoring.md defines them",
        ),
        Column("value", pa.float64(), "the measured value; null where it is undefined"),
        Column("rows", pa.int64(), "rows of the evaluated date, or window"),
        Column("model_version", pa.string(), "the model whose reference it was compared with"),
        Column("window_days", pa.int32(), "nights of the window that ends with the evaluated date; null: that night"),
        Column(
            "reference",
            pa.string(),
            "what it was compared with; null: the training data; anchor: that of the first version on these bins",
        ),
        Column(
            "studentised",
            pa.float64(),
            "how far the value is above what nights of the reference show so long after training, in their spread; "
            "null: no null of it is stored",
        ),
        Column("p_value", pa.float64(), "of all columns: how often unchanged nights are as far; null: not judged"),
        Column("threshold", pa.float64(), "the studentised distance from which it is to be watched; null: not judged"),
        Column("state", pa.string(), "ok, watch, act, or unknown: nobody can say; null: not judged"),
        Column("reason", pa.string(), "why it is undefined, failed or not judged; null: it is judged, or needs none"),
        Column("cluster", pa.string(), "the columns it moved together with, by one name; null: it did not move"),
        Column("importance", pa.float64(), "share of what the model uses that is the column's; null: it is no feature"),
        Column(
            "counts",
            pa.list_(pa.int64()),
            "with psi of all rows: rows per bin of the reference, nulls first; null: of other measures",
        ),
        RUN_DATE,
        RUN_ID,
    ),
)
PERFORMANCE = Table(
    "performance",
    "One measured value about the predictions of one date whose labels are known, as of one run date.",
    ("run_date", "evaluated_date", "subject", "slice", "measure"),
    ("run_date",),
    "monitor",
    (
        Column("evaluated_date", pa.date32(), "the night whose predictions were judged"),
        Column(
            "subject",
            pa.string(),
            "the role that predicted: champion or challenger; estimate: of the champion's predictions before their "
            "labels are known, of slices as of the first run date that saw the night; estimate_confidence, "
            "estimate_direct: the same by each way to estimate; review: what people decided",
        ),
        Column(
            "slice",
            pa.string(),
            "the rows it is about; all: every row; acted, not_acted: whether somebody acted on the score; decile 1 to "
            "10: those of such scores, what was predicted and what came of it; tier X: those of that decision; "
            "class X: those whose outcome is X, by what was predicted; COLUMN=VALUE: those of a watched slice, or of a "
            "group whose fairness is watched; last N nights: those of the N dates up to this one whose labels are "
            "final; of review also reviewer X",
        ),
        Column(
            "measure",
            pa.string(),
            "docs/projects.md names them: the metrics of the task, and what else describes predictions; of one class "
            "of several with its value in brackets, recall[late]; mean_label, mean_score, positive_rate; rows; "
            "matured_share; abstained_share; in a class X predicted[Y], the share of its rows that was taken for Y; "
            "set_coverage, the share of its rows whose prediction_set has X; rolling_coverage, the same over the 28 "
            "dates up to this one, of those whose labels are final; cost, of a row by the project's costs, "
            "cost_if_none and cost_if_all, were none or all acted on; known_positive_share, of all rows; "
            "excess_loss, log loss minus what the probabilities make expected, apart from the night's level; "
            "label_shift, the share of rows that is positive minus the mean score, of several classes label_shift[X]; "
            "of a group X_against_rest, its criterion X minus that of all other rows (disparate_impact: divided by "
            "it); of review: cases, decisions, decided_share, decided_in_time, override_rate, agreement, kappa",
        ),
        Column("value", pa.float64(), "the measured value; null where it is undefined"),
        Column("low", pa.float64(), "lower end of its 95% interval over the entities of that date; null: none"),
        Column("high", pa.float64(), "upper end"),
        Column("rows", pa.int64(), "rows that it is over, of a ranking lists; null: not counted"),
        Column("reason", pa.string(), "why it is undefined, or has no interval; null: it is and has, or needs none"),
        Column("provisional", pa.bool_(), "true until horizon and allowed lateness of its last row have passed"),
        Column("model_version", pa.string(), "the model that predicted"),
        Column(
            "basis",
            pa.string(),
            "realised: of rows whose labels are known; estimated: of all rows, before; null: realised, from before "
            "there was this column",
        ),
        Column(
            "coverage",
            pa.float64(),
            "the share of the evaluated date's rows whose labels were known by the run date; null: not measured",
        ),
        Column(
            "age_days",
            pa.int64(),
            "days from the evaluated date to the run date: figures of one age can be compared; null: not measured",
        ),
        Column(
            "interval_coverage",
            pa.float64(),
            "of an estimate: the share of the nights before whose interval had the figure that was realised later; "
            "null: too few of them, or no estimate",
        ),
        Column(
            "at_training",
            pa.float64(),
            "the same figure of the same model on the final period of its training; null: not recorded, or another "
            "slice",
        ),
        Column("baseline", pa.float64(), "the same figure of the best baseline of that training, there; null likewise"),
        RUN_DATE,
        RUN_ID,
    ),
)
SIGNALS = Table(
    "signals",
    "What one look at a night says: a column, a metric, a step, and how bad it is.",
    ("run_date", "kind", "subject"),
    ("run_date",),
    "monitor",
    (
        Column(
            "kind",
            pa.string(),
            "what has changed, or would have: covariate, prediction, prior, concept, performance, fairness, schema, "
            "upstream, data, jobs or feedback",
        ),
        Column("subject", pa.string(), "what it is about: a column, several that moved together, a metric, a slice"),
        Column("state", pa.string(), "ok, watch, act, or unknown: nobody can say"),
        Column("sentence", pa.string(), "why, with the figures that matter"),
        Column("command", pa.string(), "what to run next; null: nothing is to be done"),
        Column("since", pa.date32(), "the first night of which the same was so; null: not followed"),
        Column("evidence", pa.string(), "figures as JSON"),
        RUN_DATE,
        RUN_ID,
    ),
)
VERDICTS = Table(
    "verdicts",
    "Whether the model is safe to use on a night, why, and what to do.",
    ("run_date",),
    ("run_date",),
    "monitor",
    (
        Column("verdict", pa.string(), "ok, watch, act, or unknown: nobody can say"),
        Column("sentence", pa.string(), "why, in one sentence"),
        Column("command", pa.string(), "what to run next; null: nothing is to be done"),
        Column("evidence", pa.string(), "the signals that decided, as JSON"),
        Column("model_version", pa.string(), "the champion of the night; null: there was none"),
        RUN_DATE,
        RUN_ID,
    ),
)
TRIGGERS = Table(
    "triggers",
    "What one rule of retraining decided on one night, also where it decided against it.",
    ("run_date", "rule"),
    ("run_date",),
    "monitor",
    (
        Column("rule", pa.string(), "time, rows, performance, drift or labels"),
        Column("decision", pa.string(), "train, no, postponed (by cooldown or budget), or unknown"),
        Column("sentence", pa.string(), "why"),
        Column("needed", pa.string(), "what would have had to differ for the other decision"),
        Column("evidence", pa.string(), "figures as JSON"),
        Column("model_version", pa.string(), "the champion of the night; null: there was none"),
        RUN_DATE,
        RUN_ID,
    ),
)

"""Configurations composed by Hydra: what a command line may say, and how it is told what is wrong."""

import shlex
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import builders
from nightjar.config import compose_job, make_settings
from nightjar.errors import UsageError
from nightjar.features.definitions import definitions_hash
from nightjar.learning.search import checking
from nightjar.learning.search.feasibility import require_feasible
from nightjar.models.columns import FeatureColumn
from nightjar.pipeline import job
from nightjar.settings.arrival import Arrival, Severity
from nightjar.settings.columns import Category, ColumnPreparation, FeatureType
from nightjar.settings.environment import Placement
from nightjar.settings.features import Aggregate, FeatureKind
from nightjar.settings.jobs import JobName
from nightjar.settings.layouts import Layout
from nightjar.settings.model import Estimator, Model
from nightjar.settings.roots import ROOTS
from nightjar.settings.sources import ColumnType
from nightjar.settings.spine import Sample, SampleBy, Weekday
from nightjar.settings.task import Metric
from nightjar.timeline import parse_run_date
from system import tree

pytestmark = pytest.mark.slow  # each composes a configuration
CONF = Path(__file__).resolve().parent.parent / "conf"
FLIGHTS = ["project=flights", "run_date=2013-10-05"]


def settings(*overrides, job=JobName.SCORE, conf=CONF):
    return make_settings(compose_job(conf, job, list(overrides)))


def refused(*overrides, job=JobName.SCORE, conf=CONF):
    with pytest.raises(UsageError) as failure:
        settings(*overrides, job=job, conf=conf)
    assert failure.value.exit_code == 2
    return str(failure.value)


@pytest.mark.parametrize("job", list(JobName), ids=lambda one: one.value)
def test_every_job_composes_for_the_flights_project(job):
    review = "project.serving.review={decisions: {warn: {}, wait: {}}, tiers: [act]}"
    tier = "project.tiers={act: {kind: capacity, at_most: 9}}"
    needed = {JobName.PROFILE: ["source=weather"], JobName.REVIEW: [review, tier], JobName.RETRACT: ["reason=wrong"]}
    composed_settings = settings(*FLIGHTS, *needed.get(job, []), job=job)
    assert type(composed_settings) is ROOTS[job]
    assert composed_settings.project.name == "flights"
    assert parse_run_date(composed_settings.run_date) == date(2013, 10, 5)


def test_texts_become_enums_and_every_group_has_its_settings():
    composed_settings = settings(*FLIGHTS, "only=[monitor,score]", "search.metric=LOG_LOSS", job=JobName.NIGHTLY)
    assert composed_settings.only == ["monitor", "score"]
    assert composed_settings.search.metric.value == "log_loss"
    assert composed_settings.search.candidates["boosting"].estimator is Estimator.BOOSTING
    assert composed_settings.project.sources["weather"].columns["temp"].type is ColumnType.DOUBLE
    assert composed_settings.project.features["aircraft"].features["late_rate"].kind is FeatureKind.WINDOW
    assert composed_settings.project.features["aircraft"].features["late_rate"].aggregate is Aggregate.RATE


def test_a_night_that_was_stopped_for_too_little_input_is_told_on_the_command_line_to_go_on():
    composed_settings = settings(*FLIGHTS, "project.sources.landings.arrival.severity=WARN", job=JobName.NIGHTLY)
    assert composed_settings.project.sources["landings"].arrival == Arrival(500, "6h", Severity.WARN)
    assert composed_settings.project.sources["weather"].arrival.severity is Severity.ERROR
    assert definitions_hash(composed_settings.project) == definitions_hash(settings(*FLIGHTS).project)


def test_a_mapping_is_merged_so_one_entry_can_be_overridden():
    composed_settings = settings(*FLIGHTS, "project.sources.weather.columns.temp.maximum=140")
    assert composed_settings.project.sources["weather"].columns["temp"].maximum == 140
    assert composed_settings.project.sources["weather"].columns["temp"].minimum == -60


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["project=flights"], ["run_date: found None", "such as run_date=2013-10-01"]),
        (["project=flights", "run_date=5.10.2013"], ["run_date", "'5.10.2013'", "YYYY-MM-DD"]),
        (["project=flights", "run_date=2014-01-01"], ["run_date", "'2014-01-01'", "2013-01-01 to 2013-12-31"]),
        (["run_date=2013-10-05"], ["project"]),
        (["project=trains", "run_date=2013-10-05"], ["trains", "flights"]),
        (
            ["project=flight", "run_date=2013-10-05"],
            [": there is no 'flight' in project (did you mean 'flights'?), expected one of ['cdnow', 'credit'"],
        ),
        (
            [*FLIGHTS, "retrospectve=true"],
            ["retrospectve: there is no such key (did you mean 'retrospective'?), expected one of ['environment', "],
        ),
        (
            [*FLIGHTS, "project.sources.weather.colums={}"],
            ["project.sources.weather.colums: there is no such key (did you mean 'columns'?), expected", "'lookups'"],
        ),
        (
            [*FLIGHTS, "project.sources.wether.file={}"],
            [
                "project.sources.wether: there is no such key (did you mean 'weather'?)",
                "a new one needs columns, key, event_time",
            ],
        ),
        (
            [*FLIGHTS, "+project.sources.wether.refuse=0"],
            ["project.sources.wether: there is no such key (did you mean 'weather'?), expected"],
        ),
        ([*FLIGHTS, "~project.titel"], ["refused: project.titel: there is no such key (did you mean 'title'?)"]),
        ([*FLIGHTS, "+modle@project.x=tree"], ["there is no group 'modle' (did you mean 'model'?)", "'features/fl"]),
        (
            [*FLIGHTS, "search=quick"],
            ["score: the configuration is refused: search: there is no such key, expected one"],
        ),
        ([*FLIGHTS, "+retrospectve=true"], ["retrospectve: there is no such key (did you mean 'retrospective'?)"]),
        ([*FLIGHTS, "+project.label.horzon=3d"], ["project.label.horzon: there is no such key (did you mean 'horizo"]),
        ([*FLIGHTS, "+environment.cpu=2"], ["environment.cpu: there is no such key (did you mean 'cpus'?)"]),
        ([*FLIGHTS, "retrospective=maybe"], ["retrospective: found 'maybe', expected true or false"]),
        ([*FLIGHTS, "environment.cpus=two"], ["environment.cpus: found 'two', expected a whole number"]),
        ([*FLIGHTS, "environment.cpus=0"], ["environment.cpus: found 0, expected at least 1"]),
        ([*FLIGHTS, "project.zone=Mars/Base"], ["project.zone: found 'Mars/Base', expected an IANA time zone"]),
        ([*FLIGHTS, "project.label.horizon=soon"], ["project.label.horizon: duration 'soon'"]),
        (
            [*FLIGHTS, "project.sources.weather.refuse_above=2"],
            ["project.sources.weather.refuse_above: found 2, expected at most 1"],
        ),
        (
            [*FLIGHTS, "project.features.route.features.last_delay.lookback=4"],
            ["project.features.route.features.last_delay.lookback", "'4'"],
        ),
        (
            [*FLIGHTS, "project.sources.weather.columns.temp.type=duble"],
            ["temp.type: found 'duble' (did you mean 'double'?), expected one of [string, long, double,"],
        ),
        ([*FLIGHTS, "project.label.column=???"], ["project.label.column: has no value", "project.label.column=..."]),
        (
            [*FLIGHTS, "project.label.aggregate=AVERAGE"],
            ["label.aggregate: found 'AVERAGE', expected one of [count, sum, mean,"],
        ),
        ([*FLIGHTS, "project.label.horizon=-3d"], ["project.label.horizon: duration '-3d'"]),
        ([*FLIGHTS, "project.label.settled_early=true"], ["project.label.settled_early: found True, expected false"]),
        ([*FLIGHTS, "project.spine.kind=ACTIVE"], ["project.spine.prediction_time: found 'prediction_time', expected"]),
        ([*FLIGHTS, "project.spine.sample={by: DAY}"], ["project.spine.sample.fraction: found None, expected either"]),
        (
            [*FLIGHTS, "project.spine.sample={by: DAY, fraction: 2}"],
            ["project.spine.sample.fraction: found 2, expected at most 1"],
        ),
        (
            [*FLIGHTS, "project.spine.sample={by: WEEK, fraction: 1}"],
            ["sample.by: found 'WEEK', expected one of [entity, day, stratum]"],
        ),
        (
            [*FLIGHTS, "+project.expressions.dest='1'"],
            ["project.expressions.dest: found 'dest', expected another name"],
        ),
        (
            ["project=null", "run_date=2013-10-05"],
            ["project=null: found null, expected one of ['cdnow', 'credit'"],
        ),
        ([*FLIGHTS, "run_date"], ["the argument 'run_date' cannot be read", "Expected KEY=VALUE"]),
        ([*FLIGHTS, "project.title=${nowhere}"], ["nowhere"]),
    ],
    ids=lambda value: value[-1] if value and isinstance(value, list) else "",
)
def test_a_mistake_is_refused_with_its_key_its_value_and_what_was_expected(overrides, parts):
    message = refused(*overrides)
    assert [part for part in parts if part not in message] == []


def test_a_text_with_a_broken_interpolation_is_refused_as_any_other_mistake():
    message = refused(*FLIGHTS, "source='${'", job=JobName.PROFILE)
    assert message.startswith("profile: the configuration is refused: ")
    assert "source" in message


def test_an_argument_that_cannot_be_read_is_told_with_how_a_shell_is_given_it():
    """What is advised gives the very text; Hydra itself says `mismatched input '['` of no argument."""
    values = [
        "local[2]",
        "it's",
        "a, b",
        "{a: b",
        'an "inch',
        "(x)",
        "x > 0",
        "b=c",
        "gr\u00f6\u00dfe",
        '[\\"\\',
        "range(1,3)",
    ]
    advised = []
    for number, value in enumerate(values):
        argument = f"+environment.spark.option{number}={value}"
        told, advice = refused(*FLIGHTS, argument).split(". If its value is a text, quote it, for the shell too: ")
        assert told.startswith(f"score: the argument {argument!r} cannot be read: ")
        advised += shlex.split(advice)
    composed = compose_job(CONF, JobName.SCORE, [*FLIGHTS, *advised])
    assert [composed.config.environment.spark[f"option{number}"] for number in range(len(values))] == values


def test_a_wrong_type_names_the_whole_key_path():
    assert "environment.cpus: found 'two'" in refused(*FLIGHTS, "environment.cpus=two")


OWN = "search.candidates.boosting.preparation.columns"
DECLARED = f"+{OWN}={{carrier: {{type: CATEGORY}}}}"


def test_a_key_below_one_that_is_null_is_given_like_any_other():
    composed_settings = settings(*FLIGHTS, DECLARED, f"{OWN}.carrier.category.buckets=8", job=JobName.TRAIN)
    own = composed_settings.search.candidates["boosting"].preparation.columns["carrier"]
    assert own == ColumnPreparation(FeatureType.CATEGORY, category=Category(buckets=8))


def test_what_is_wrong_is_told_all_at_once_each_with_its_place():
    message = refused(
        *FLIGHTS,
        "environment.cpus=2.0",
        "environment.cpu=2",
        "project.label.horizon=soon",
        "project.label.column=???",
        "project.spine.kind=active",
        "retrospective=maybe",
    )
    lines = message.splitlines()
    assert lines[0] == "score: the configuration is refused:"
    begins = (
        "environment.cpu: there is no such key (did you mean 'cpus'?)",
        "environment.cpus: found 2.0, expected a whole number",
        "project.label.column: has no value, and needs one",
        "project.label.horizon: duration 'soon'",
        f"project.spine.prediction_time: found 'prediction_time', expected none: it is the cutoff ({CONF}/project/fl",
        "project.spine.active_within: found None, expected a duration",
        "retrospective: found 'maybe', expected true or false",
    )
    assert [begin for begin in begins if not any(line.startswith(f"  {begin}") for line in lines)] == []
    assert len(lines) == 1 + len(begins)


@pytest.mark.parametrize("argument", ["environment.cpus=true", "environment.cpus=2.0", "project.label.empty=true"])
def test_neither_true_nor_a_fraction_passes_for_a_number(argument):
    assert f"{argument.partition('=')[0]}: found " in refused(*FLIGHTS, argument)


def test_any_key_that_is_documented_is_given_without_a_plus():
    """Whether a file names it or not; with a plus, as long ago, it is the same."""
    arguments = [
        "environment.placements.route=co_bucketed",
        "environment.spark={spark.ui.enabled: 'false'}",
        "project.costs={missed: 5, false_alarm: 1}",
        "project.sources.weather.layouts.by_origin.keys=[origin]",
        "project.expressions.twice=distance_miles * 2",
        "project.label.annotators.least=1",
    ]
    composed_settings = settings(*FLIGHTS, *arguments)
    assert composed_settings == settings(*FLIGHTS, *(f"+{argument}" for argument in arguments))
    assert composed_settings.environment.placements == {"route": Placement.CO_BUCKETED}
    assert composed_settings.project.sources["weather"].layouts == {"by_origin": Layout(["origin"])}


def files_of(group):
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


def require_learnable(search, project):
    """What training asks of a search before it reads a row; the type of a column plays no part here."""
    checking.require_learnable(
        search,
        [FeatureColumn(name, "number") for name in project.feature_names()],
        search.metric.tasks[0],
        weighted=False,
    )


@pytest.fixture(scope="module")
def of_every_model():
    """A training with each model of the configuration, named with _asked, and by its own name as a member."""
    own = compose_job(CONF, JobName.TRAIN, FLIGHTS).config.search.candidates
    members = {name: name for name in files_of("model") if name not in own}
    models = {f"{name}_asked": name for name in files_of("model")} | members
    overrides = [f"+model@search.candidates.{name}={model}" for name, model in models.items()]
    return settings(*FLIGHTS, *overrides, job=JobName.TRAIN)


@pytest.mark.parametrize("name", files_of("model"))
def test_every_model_composes_into_a_search_with_parameters_that_its_estimator_has(name, of_every_model):
    """With its members beside it, and a baseline of any task."""
    composed = of_every_model.search.candidates
    model = composed[f"{name}_asked"]
    baseline = Model(Estimator.RATE, baseline=True, parameters={"column": "carrier"})
    candidates = {one: composed[one] for one in model.members}
    candidates |= {"asked": model, "rate": baseline, "other": Model(Estimator.TREE)}
    of_amounts = model.estimator in (Estimator.MEAN, Estimator.LINEAR)
    metric = Metric.RMSE if of_amounts else Metric.ROC_AUC
    search = replace(of_every_model.search, candidates=candidates, metric=metric)
    require_learnable(search, of_every_model.project)


def test_there_is_a_model_of_each_kind(of_every_model):
    assert {model.estimator for model in of_every_model.search.candidates.values()} == set(Estimator)


@pytest.mark.parametrize("name", files_of("search"))
def test_every_search_composes_and_can_be_run(name):
    """On the project of its name, where there is one."""
    project = f"project={name}" if name in files_of("project") else "project=flights"
    composed_settings = settings(project, "project_dates=true", f"search={name}", job=JobName.NIGHTLY)
    require_learnable(composed_settings.search, composed_settings.project)


def test_the_default_search_suits_another_project_and_one_may_add_its_own_baselines(tmp_path):
    """`conf/candidates/<project>.yaml`, of whatever search."""
    conf = shutil.copytree(CONF, tmp_path / "conf")
    project = replace(builders.machines(tmp_path), first_date="2023-03-18")
    tree.declare(conf / "project" / "machines.yaml", project)
    composed_settings = settings("project=machines", "run_date=2024-03-31", job=JobName.TRAIN, conf=conf)
    assert list(composed_settings.search.candidates) == ["majority", "logistic", "boosting", "network"]
    require_feasible(composed_settings.search, composed_settings.project, builders.HISTORY)
    candidates = settings(*FLIGHTS, job=JobName.NIGHTLY).search.candidates
    assert [name for name, model in candidates.items() if model.baseline] == ["majority", "hour_of_day"]


def test_a_range_before_its_start_is_refused():
    message = refused(*FLIGHTS, "since=2013-10-06", job=JobName.BUILD_FEATURES)
    assert "since: found '2013-10-06', expected a date at or before run_date=2013-10-05" in message


def test_a_second_project_needs_no_code(tmp_path):
    """Copying nothing but the root files, a folder of YAML is a project."""
    write = {
        "score.yaml": "defaults:\n  - score_schema\n  - environment: schema\n  - project: ???\n  - _self_\n",
        "project/shops.yaml": """
            defaults: [schema, /source@sources.visits: shops/visits, _self_]
            name: shops
            zone: Europe/Paris
            first_date: "2024-01-01"
            history_until: "2024-02-01"
            first_night: "2024-02-02"
            spine: {source: visits, key: [shop], prediction_time: at}
            label: {source: visits, keys: {shop: shop}, column: bought, horizon: 2d}
            features:
              visitors:
                source: visits
                keys: {shop: shop}
                features: {week: {kind: WINDOW, column: bought, aggregate: RATE, windows: [7d]}}
            """,
        "source/shops/visits.yaml": """
            defaults: [/source/schema@_here_, _self_]
            file: {path: visits.csv}
            columns: {shop: {type: STRING}, at: {type: TIMESTAMP}, bought: {type: BOOLEAN}}
            key: [shop]
            event_time: at
            """,
    }
    for name, text in write.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(line.removeprefix(" " * 12) for line in text.splitlines()))
    composed_settings = settings("project=shops", "run_date=2024-02-02", conf=tmp_path)
    assert composed_settings.project.feature_names() == ["visitors__week_7d"]


def test_a_sample_days_of_the_week_and_an_expression_can_be_asked_for_on_the_command_line():
    composed_settings = settings(
        *FLIGHTS,
        "project.spine.sample={by: STRATUM, column: origin, fraction: 0.5}",
        "project.spine.weekdays=[FRIDAY, MONDAY]",
        "+project.spine.sample.fractions.JFK=1.0",
        "+project.expressions.slow='try_divide(aircraft__mean_delay_7d, distance_miles)'",
    )
    assert composed_settings.project.spine.sample == Sample(SampleBy.STRATUM, "origin", 0.5, {"JFK": 1.0})
    assert composed_settings.project.spine.weekdays == [Weekday.FRIDAY, Weekday.MONDAY]
    assert composed_settings.project.feature_names()[-1] == "slow"
    message = refused(*FLIGHTS, "project.spine.weekdays=[MON]")
    assert "project.spine.weekdays[0]: found 'MON' (did you mean 'monday'?), expected one of [monday," in message


SHOPS = """
defaults: [schema, /source/schema@sources.visits, _self_]
name: shops
zone: Europe/Paris
first_date: "2024-01-01"
history_until: "2024-02-01"
first_night: "2024-02-02"
sources:
  visits:
    file: {path: visits.csv}
    columns: {shop: {type: STRING}, at: {type: TIMESTAMP}, spent: {type: DOUBLE}}
    key: [shop, at]
    event_time: at
spine:
  kind: ACTIVE
  source: visits
  key: [shop]
  active_within: 30d
  derived: {weekday: "weekday(prediction_time)"}
  features: [weekday]
  sample: {by: DAY, maximum: 100}
label:
  source: visits
  keys: {shop: shop}
  column: spent
  horizon: 7d
  aggregate: MAX
  condition: value > 100
  settled_early: true
  allowed_lateness: 1d
features:
  visits: {source: visits, keys: {shop: shop}, features: {last: {kind: LATEST, column: spent}}}
expressions: {root: sqrt(visits__last)}
"""


def write_shops(conf, project):
    (conf / "project").mkdir()
    (conf / "score.yaml").write_text("defaults: [score_schema, environment: schema, project: '???', _self_]\n")
    (conf / "project" / "shops.yaml").write_text(project)


def test_a_project_of_active_things_composes(tmp_path):
    write_shops(tmp_path, SHOPS)
    composed_settings = settings("project=shops", "run_date=2024-02-02", conf=tmp_path).project
    assert composed_settings.feature_names() == ["weekday", "visits__last", "root"]
    assert composed_settings.spine.columns() == ["shop", "weekday", "sampling_weight"]
    assert composed_settings.label.question() == "value > 100, value being the max of spent in the next 7d"


@pytest.mark.parametrize(
    ("written", "read", "refused_at"),
    [
        ("[NO, SE]", "False", "columns.shop.levels[0]"),
        ("[SE, on]", "True", "columns.shop.levels[1]"),
        ("[SE, 1e3]", "1000.0", "columns.shop.levels[1]"),
        ("[1_000]", "1000", "columns.shop.levels[0]"),
        ("[0x1f]", "31", "columns.shop.levels[0]"),
        ("[12:30]", "750", "columns.shop.levels[0]"),
        ("['NO', SE, \"on\", '1e3', \"True\", 7, '1000.0']", None, None),
    ],
)
def test_a_word_that_yaml_takes_for_something_else_is_to_be_quoted(tmp_path, written, read, refused_at):
    (tmp_path / "project").mkdir()
    (tmp_path / "score.yaml").write_text("defaults: [score_schema, environment: schema, project: '???', _self_]\n")
    column = f"{{type: STRING, required: yes, levels: {written}}}"
    (tmp_path / "project" / "shops.yaml").write_text(SHOPS.replace("shop: {type: STRING}", f"shop: {column}"))
    if refused_at is None:
        composed_settings = settings("project=shops", "run_date=2024-02-02", conf=tmp_path).project
        column = composed_settings.sources["visits"].columns["shop"]
        assert (column.required, column.levels) == (True, ["NO", "SE", "on", "1e3", "True", "7", "1000.0"])
        return
    message = refused("project=shops", "run_date=2024-02-02", conf=tmp_path)
    assert f"\n  project.sources.visits.{refused_at}: found {read!r}, which is what YAML makes of" in message
    assert "in line 11 of" in message
    arguments = ["project=shops", "--config-dir", str(tmp_path), "--cfg", "job"]
    with pytest.raises(UsageError) as not_shown:  # as if it had been meant; what else is wrong would not matter
        job.run(JobName.SCORE, "", arguments, pytest.fail)
    assert str(not_shown.value) == message


@pytest.mark.parametrize(
    ("written", "misspelt", "message"),
    [
        (
            "settled_early:",
            "settled_earl:",
            "project.label.settled_earl: there is no such key (did you mean 'settled_e",
        ),
        (
            "spent: {type:",
            "spent: {typ:",
            "project.sources.visits.columns.spent.typ: there is no such key (did you mean 'type'?), expected one of",
        ),
        ("DOUBLE", "DUOBLE", "project.sources.visits.columns.spent.type: found 'DUOBLE' (did you mean 'double'?), exp"),
        (
            "/source/schema@",
            "/source/shema@",
            "shops.yaml: there is no group 'source'",
        ),
        (
            "schema, /source",
            "schema, /project/shop, /source",
            "there is no 'shop' in project (did you mean 'shops'?), e",
        ),
        (
            "shop: {type",
            "NO: {type",
            "project.sources.visits.columns.False: found the key False, expected a text; quote",
        ),
    ],
)
def test_a_misspelt_word_in_a_file_is_refused_with_the_file_and_the_nearest_that_there_is(
    tmp_path, written, misspelt, message
):
    write_shops(tmp_path, SHOPS.replace(written, misspelt, 1))
    refusal = refused("project=shops", "run_date=2024-02-02", conf=tmp_path)
    (line,) = (line for line in refusal.splitlines() if message in line)
    assert f"{tmp_path}/project/shops.yaml" in line


@pytest.mark.parametrize(
    ("override", "path", "read", "written"),
    [
        ("project.title=1e3", "project.title", "1000.0", "1e3"),
        ("project.spine.key.0=TRUE", "project.spine.key.0", "True", "TRUE"),
        (
            "project.sources.weather.columns.temp={minimum: 1.10, levels: ['1e3', NO, 010, 1.0, 1_000, +5]}",
            "project.sources.weather.columns.temp.levels[4]",
            "1000",
            "1_000",
        ),
        ("+environment.spark={a.b: 12:30, c.d: 1.10}", "environment.spark.c.d", "1.1", "1.10"),
    ],
)
def test_a_word_that_hydra_takes_for_something_else_is_to_be_quoted(override, path, read, written):
    line = refused(*FLIGHTS, override).splitlines()[1]
    refusal, advice = line.split(". If the text is meant, quote it, for the shell too: ")
    assert refusal == (
        f"  {path}: found {read!r}, which is what Hydra makes of the unquoted {written} on the command line"
    )
    assert shlex.split(advice) == [override.removeprefix("+").replace(written, f'"{written}"')]


def test_numbers_and_words_of_the_command_line_that_are_what_was_written_pass():
    composed_settings = settings(
        *FLIGHTS,
        "project.sources.weather.columns.temp={minimum: 1.10, maximum: 1_000}",
        "project.sources.weather.columns.origin.levels=[NO, 010, 5, 1.5, '1e3']",
        "project.title=1e3",
        "project.title=2024-01-31",
        "environment.cpus=+2",
    )
    columns = composed_settings.project.sources["weather"].columns
    assert (columns["temp"].minimum, columns["temp"].maximum) == (1.1, 1000)
    assert columns["origin"].levels == ["NO", "010", "5", "1.5", "1e3"]
    assert (composed_settings.project.title, composed_settings.environment.cpus) == ("2024-01-31", 2)


@pytest.mark.parametrize(
    ("written", "otherwise", "message"),
    [
        (
            "keys: {shop: shop}, f",
            "keys: {shop: [shop]}, f",
            "features.visits.keys.shop: found ['shop'], expected a text",
        ),
        ("{type: STRING}", "{type: STRING, levels: [[a]]}", "sources.visits.columns.shop.levels[0]: found ['a'], expe"),
        ("{root: sqrt(visits__last)}", "{root: {sqrt: visits__last}}", "expressions.root: found {'sqrt': 'visits__la"),
    ],
)
def test_a_list_or_a_mapping_in_the_place_of_a_value_is_refused(tmp_path, written, otherwise, message):
    write_shops(tmp_path, SHOPS.replace(written, otherwise, 1))
    assert f"\n  project.{message}" in refused("project=shops", "run_date=2024-02-02", conf=tmp_path)


def test_a_file_that_is_no_yaml_is_a_wrong_configuration_too(tmp_path):
    (tmp_path / "score.yaml").write_text("defaults: [score_schema, project: ???]\n")
    message = refused(*FLIGHTS, conf=tmp_path)
    assert "score.yaml" in message
    assert "line 1, column" in message

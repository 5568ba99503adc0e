"""The columns that an expression names, by its text alone: what is read is what Spark's own parser reads."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyspark.errors import ParseException

import builders
from expressions.test_guard import ACCEPTED, REFUSED
from nightjar.config import compose_job, make_settings
from nightjar.expressions.allowed import FUNCTIONS
from nightjar.expressions.columns import usable_columns
from nightjar.expressions.references import columns_in
from nightjar.expressions.syntax import short
from nightjar.settings.jobs import JobName

CONF = Path(__file__).resolve().parents[2] / "conf"
MORE = {
    "2nd_leg + `a``b` * `größe`": {"2nd_leg", "a`b", "größe"},
    "1e3 + 1.5D - .5e-1 * 2L": set(),
    "a.b[c].d + f(x).y": {"a", "c", "x"},
    "CAST(a AS MAP<STRING, STRUCT<b: INT, c: DECIMAL(3, 1)>>)['k'].b": {"a"},
    "a::decimal(5, 1) < b AND c::int IN (d)": {"a", "b", "c", "d"},
    "CASE WHEN NOT a THEN b WHEN (c) THEN -d ELSE CASE e WHEN 'f' THEN g END END": set("abcdeg"),
    "a NOT IN (b, c) OR d NOT BETWEEN e AND f OR g NOT LIKE 'h' ESCAPE '!'": set("abcdefg"),
    "a IS NOT NULL AND b IS NOT DISTINCT FROM c AND d IS UNKNOWN": set("abcd"),
    "a LIKE ALL ('x', 'y') OR b NOT LIKE SOME ('z')": {"a", "b"},
    "a RLIKE b OR REGEXP(c, d) OR e REGEXP f OR NOT like(g, h)": set("abcdefgh"),
    "map_zip_with(a, b, (k, x, y) -> x + y + c)": {"a", "b", "c"},
    "reduce(a, b, (acc, x) -> acc + size(filter(d, y -> y > x)), acc -> acc * e)": {"a", "b", "d", "e"},
    "extract(dow FROM a) + extract(yearofweek FROM b)": {"a", "b"},
    "dateadd(MONTH, a, b) > timestampadd(microsecond, c, d)": set("abcd"),
    "datediff(QUARTER, a, b) + date_diff(c, d)": set("abcd"),
    "trim(a FROM b) || trim(TRAILING c FROM d) || trim(LEADING FROM e) || trim(f)": set("abcdef"),
    "substr(a FROM b) || overlay(c PLACING d FROM e FOR f) || position(g IN h)": set("abcdefgh"),
    "a + INTERVAL '1-2' YEAR TO MONTH - INTERVAL 1 DAY 2 HOURS + INTERVAL -3 weeks > b": {"a", "b"},
    "interval - a + interval": {"interval", "a"},
    "hour(hour) + day + `year` + value + date(date) + timestamp": {"hour", "day", "year", "value", "date", "timestamp"},
    "left(left, 1) || right(right, 2) || replace(replace, 'x')": {"left", "right", "replace"},
    "a -- b\\\n c\n + d /* e ' */ + '/* ' || f || ' */'": {"a", "d", "f"},
    "'it''s' || 'a\\'b' || R'c\\' || \"d\"\"e\" || f": {"f"},
    "X'1F' || b": {"b"},
    "CASE WHEN end THEN end ELSE end - start END": {"end", "start"},
    "a <=> b AND c != d AND e == f AND !g AND ~h ^ i | j & k << l >>> m <> n": set("abcdefghijklmn"),
}
"""Expressions, with the columns in them."""
UNREAD = (
    "a AS b",
    "struct(a AS b, c d)",
    "a b",
    "avg(a) OVER w",
    "f(b => a)",
    "a:b",
    ":a",
    "(SELECT a)",
    "${a}",
    "in - a",
)
"""Expressions that are left to the ingest."""
SILENT = {"user", "date_add(day, 1) = DATE '2024-02-01'", "datediff(day, DATE '2024-01-01')"}
"""Expressions with a column whose name may be something else there, and that is not named."""

PLAIN = ["n", "N", "x_1", "2nd", "`größe`", "`a b`"]
NAMES = [*PLAIN, "day", "hour", "value", "date", "end", "from", "interval", "left", "user", "in"]


@pytest.fixture(scope="module")
def columns_of(spark):
    """The columns in the tree of Spark's parser; None: it refuses the text."""
    parser = spark._jsparkSession.sessionState().sqlParser()

    def read(sql):
        names = {"UnresolvedAttribute": set(), "UnresolvedNamedLambdaVariable": set()}
        try:
            nodes = json.loads(parser.parseExpression(sql).toJSON())
        except ParseException:
            return None
        for node in nodes:
            if short(node) in names:
                names[short(node)].add(node["nameParts"][1:-1].split(", ")[0])
        attributes, variables = names.values()  # the variables are all names in a lambda, of columns too
        parameters = " ".join(re.findall(r"(\w+|\([\w, ]+\))\s*->", sql))
        return attributes | variables - set(re.findall(r"\w+", parameters))

    return read


def test_a_corpus_is_read_as_spark_reads_it(columns_of):
    of_conf = make_settings(compose_job(CONF, JobName.SCORE, ["project=flights", "run_date=2013-10-05"])).project
    of_projects = [sql for one in (of_conf, builders.machines(Path())) for _, sql, _ in usable_columns(one)]
    of_functions = ", ".join(f"{name}(a, `{name} `, {name}(b)) + c" for name in FUNCTIONS)
    corpus = [*ACCEPTED, *MORE, *of_projects, f"array({of_functions})"]
    read = {sql: set(columns_in(sql)) for sql in corpus if sql not in SILENT}
    assert read == {sql: columns_of(sql) for sql in read}
    assert {sql: read[sql] for sql in MORE} == MORE


def test_what_is_refused_is_read_right_or_not_at_all(columns_of):
    wrong = {sql: set(columns_in(sql) or ()) - columns_of(sql) for sql in [*REFUSED, *SILENT]}
    assert {sql: names for sql, names in wrong.items() if names} == {}


@pytest.mark.parametrize("sql", UNREAD)
def test_what_is_not_certain_is_not_read(sql):
    assert columns_in(sql) is None


BINARY = [
    *("+", "-", "* -", "/", "%", "DIV", "^", "&", "<<", "=", "<=>", "!=", "<", ">="),
    *("AND NOT", "or", "LIKE", "NOT RLIKE", "IS DISTINCT FROM", "IS NOT NULL OR"),
]
FORMS = (
    [
        *("({})", "- {}", "NOT ({})", "abs({})", "year ( {} )", "({} IS NOT NULL)", "CAST({} AS DECIMAL(5, 1))"),
        *("try_cast({} as array<map<string, int>>)", "({})::bigint", "trim(BOTH FROM {})", "extract(HOUR FROM {})"),
        *("({} + INTERVAL 1 DAY)", "{} /* n */", "{} -- n\n", "filter({}, p -> p > 1)", "unix_timestamp({})['n'].n"),
    ],
    [
        *(f"({{}} {operator} {{}})" for operator in BINARY),
        *("if({}, {}, 1)", "coalesce({},{})", "({} IN ({}, 2))", "({})[{}]", "transform({}, p -> p + {})"),
        *("CASE {} WHEN 1 THEN {} END", "timestampadd(DAY, {}, {})", "position({} IN {})", "(({}) || {})"),
    ],
    [
        *("({} BETWEEN {} AND {})", "CASE WHEN {} THEN {} ELSE {} END", "aggregate({}, {}, (p, q) -> p + q * {})"),
        *("overlay({} PLACING {} FROM {})", "({} NOT IN ({}, {}))", "map({}, {}, 'k', {}).k"),
    ],
)
"""Forms of one, of two and of three expressions."""
CONSTANTS = ["1", "2.5D", ".5", "'n'", "'it''s -- n'", '"/*"', "NULL", "true", "DATE '2024-01-31'", "X'1F'"]


def expressions(columns):
    """Expressions of the grammar over these columns, as texts."""

    def larger(part):
        by_number = [
            st.tuples(st.sampled_from(forms), *[part] * number).map(lambda one: one[0].format(*one[1:]))
            for number, forms in enumerate(FORMS, start=1)
        ]
        return st.one_of(by_number)

    return st.recursive(st.sampled_from([*columns, *CONSTANTS]), larger, max_leaves=12)


@settings(max_examples=150)
@given(sql=expressions(PLAIN))
def test_an_expression_over_plain_names_is_read_whole(columns_of, sql):
    assert set(columns_in(sql)) == columns_of(sql)


@settings(max_examples=150)
@given(sql=expressions(NAMES))
@example(sql="CASE WHEN end THEN from ELSE interval END")
def test_a_name_that_is_a_word_of_the_grammar_is_read_right_or_not_at_all(columns_of, sql):
    columns = columns_of(sql)
    assert columns is None or set(columns_in(sql) or ()) <= columns

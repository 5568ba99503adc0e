"""What an expression may hold and what it may not: by its text, and by the columns and types that it meets."""

import re
from types import SimpleNamespace

import pytest
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import BooleanType, NumericType

from nightjar.errors import UsageError
from nightjar.expressions import guard, syntax
from nightjar.expressions.allowed import FUNCTIONS

ROW = """
    SELECT 3L AS n, 2.5D AS x, 'Abc' AS text, '12:00' AS clock, DATE '2024-01-31' AS day, true AS yes, 'ann' AS user,
        TIMESTAMP '2024-01-31 06:30:00' AS at, TIMESTAMP_NTZ '2024-01-31 06:30:00' AS plain, 'Europe/Paris' AS zone,
        array(1.0D, 3.0D) AS items, named_struct('a', 1, 'b', 'z') AS pair, map('k', 1) AS counts, 7 AS `a b`
"""
ACCEPTED = {
    "n + 1": 4,
    "-n * (x - 1) / 2 % 5": -2.25,
    "n DIV 2": 1,
    "n & 1 | 4 ^ ~n": -7,
    "n << 1": 6,
    "N >= 3 AND NOT (x <> 2.5 OR yes IS NULL)": True,
    "n BETWEEN 1 AND 3 AND n IN (1, 3) AND text IS NOT NULL AND n IS DISTINCT FROM 4": True,
    "(n, text) IN ((3L, 'Abc'))": True,
    "CASE WHEN x < 2 THEN 'low' WHEN x < 3 THEN 'mid' ELSE 'high' END": "mid",
    "CASE text WHEN 'Abc' THEN 1 END": 1,
    "if(yes, coalesce(NULL, n), nullif(n, 3))": 3,
    "try_divide(n, 0)": None,
    "round(sin(pi()) + ln(e()), 3)": 1.0,
    "CAST(text AS STRING) || '!'": "Abc!",
    "x::INT": 2,
    "TRY_CAST(text AS INT)": None,
    "CAST(n AS DECIMAL(5, 1)) > 1.5BD": True,
    "upper(trim(BOTH ' ' FROM text))": "ABC",
    "substring(text FROM 2 FOR 1)": "b",
    "position('c' IN text)": 3,
    "overlay(text PLACING 'x' FROM 1)": "xbc",
    "text LIKE 'A%' AND text LIKE ANY ('x', 'A_c') AND text ILIKE 'abc' AND text RLIKE '^A'": True,
    "text = 'not now' OR text = 'today we sail' OR text = 'now'": False,
    "text -- the name\n = 'Abc' /* ? */": True,
    "X'ff' IS NOT NULL": True,
    "`a b` + pair.a + items[0] + counts['k']": 10.0,
    "user": "ann",
    "transform(items, i -> i + n)[1]": 6.0,
    "aggregate(items, 0D, (total, i) -> total + i)": 4.0,
    "exists(items, i -> i > 2)": True,
    "size(filter(items, (i, place) -> place = 0))": 1,
    "named_struct('k', n).k": 3,
    "datediff(day, DATE '2024-01-01')": 30,
    "day > DATE '2024-01-01' AND day < '2024-02-01'": True,
    "at >= TIMESTAMP '2024-01-31T06:30:00.000001+01:00'": True,
    "at < timestamp\n'2024-02-01 00:00:00 Europe/Paris'": True,
    "CAST('2024-01-31' AS DATE) = to_date(at)": True,
    "try_to_date(text) IS NULL": True,
    "date_add(day, 1) = DATE '2024-02-01'": True,
    "at + INTERVAL 1 DAY - INTERVAL '2' HOUR > at": True,
    "extract(HOUR FROM at) + date_part('minute', at) + year(day)": 2060,
    "timestampdiff(MINUTE, TIMESTAMP '2024-01-31 06:00:00', at)": 30,
    "timestampadd(DAY, 1, at) > at": True,
    "hour(from_utc_timestamp(at, zone))": 7,
    "to_utc_timestamp(CAST(plain AS TIMESTAMP), 'Europe/Paris') < at": True,
    "hour(to_timestamp(clock, 'HH:mm'))": 12,
    "date_format(at, 'EEEE MMMM')": "Wednesday January",
    "from_unixtime(unix_timestamp(at))": "2024-01-31 06:30:00",
    "make_timestamp(2024, 1, 31, 6, 30, 0) = at": True,
    "format_number(12345.678, 2)": "12,345.68",
    "hash(n) = hash(3L) AND sha2(text, 256) IS NOT NULL AND xxhash64(n) <> 0": True,
    "get_json_object('{\"a\": 1}', '$.a')": "1",
}
REFUSED = {
    "now()": "the function now",
    "NOW ( )": "the function NOW",
    "`now`()": "the function now",
    "system.builtin.now()": "the function system.builtin.now",
    "spark_catalog.default.abs(n)": "the function spark_catalog.default.abs",
    "`system.builtin`.abs(n)": "the function system.builtin.abs",
    "current_date": "current_date(), which is no column",
    "CURRENT_TIMESTAMP": "current_timestamp(), which is no column",
    "current_date()": "the function current_date",
    "curdate()": "the function curdate",
    "localtimestamp()": "the function localtimestamp",
    "session_user": "current_user(), which is no column",
    "current_time > current_time": "current_time(6), which is no column",
    "current_path": "a CurrentPath",
    "unix_timestamp()": "the function unix_timestamp without an argument",
    "current_timezone()": "the function current_timezone",
    "convert_timezone('UTC', plain)": "current_timezone(), which is no column",
    "CASE WHEN n > 1 THEN 1 ELSE coalesce(rand(), 1) END": "the function rand",
    "transform(items, i -> i + rand(7))": "the function rand",
    "transform(items, i -> current_date)": "current_date(), which is no column",
    "uuid()": "the function uuid",
    "shuffle(items)": "the function shuffle",
    "randn() + uniform(0, 1)": "the function randn, the function uniform",
    "monotonically_increasing_id()": "the function monotonically_increasing_id",
    "spark_partition_id()": "the function spark_partition_id",
    "input_file_name()": "the function input_file_name",
    "current_user()": "the function current_user",
    "version()": "the function version",
    "current_database()": "the function current_database",
    "java_method('java.lang.Math', 'abs', 1)": "the function java_method",
    "reflect('java.lang.Math', 'abs', 1)": "the function reflect",
    "try_reflect('java.lang.Math', 'abs', 1)": "the function try_reflect",
    "explode(items)": "the function explode",
    "stack(2, 1, 2)": "the function stack",
    "inline(array(pair))": "the function inline",
    "json_tuple(text, 'a')": "the function json_tuple",
    "max(n)": "the function max",
    "any_value(n)": "an aggregate (that is a feature of a group)",
    "count(*)": "the function count",
    "sum(n) FILTER (WHERE n > 1)": "the function sum",
    "avg(n) OVER (PARTITION BY text)": "a window over several rows, the function avg",
    "lag(n) OVER w": "a window over several rows",
    "window(at, '1 day')": "the function window",
    "(SELECT 1)": "a subquery",
    "n IN (SELECT id FROM range(3))": "a subquery",
    "n > 1 OR EXISTS (SELECT 1)": "a subquery",
    "(SELECT max(text) FROM text.`file`) IS NULL": "a subquery",
    "*": "a star",
    "struct(*)": "a NamePlaceholder, a star",
    "n AS m": "a name for its value (AS)",
    "x felsius": "a name for its value (AS)",
    ":n": "a parameter",
    "?": "a parameter",
    "abs(expr => n)": "an argument with a name",
    "IDENTIFIER('n')": "IDENTIFIER(...)",
    "IDENTIFIER('now')()": "IDENTIFIER(...)",
    "text COLLATE UTF8_LCASE = 'abc'": "a collation",
    "CAST(text AS STRING COLLATE UTF8_LCASE) = 'abc'": "a CAST to string collate UTF8_LCASE",
    "text:a": "a name for its value (AS), a SemiStructuredExtract",
    "parse_json(text)": "the function parse_json",
    "from_json(text, 'at TIMESTAMP')": "the function from_json",
    "aes_encrypt(text, 'abcdefghijklmnop')": "the function aes_encrypt",
    "raise_error('x')": "the function raise_error",
    "assert_true(yes)": "the function assert_true",
    "'${env:HOME}'": "${...}, which Spark replaces by a setting or a variable of the machine",
    "'\\${system:user.name}'": "${...}, which Spark replaces",
    "at < TIMESTAMP 'now'": "TIMESTAMP 'now', expected a constant such as DATE '2024-01-31'",
    "at < timestamp_ltz ' Tomorrow UTC '": "timestamp_ltz ' Tomorrow UTC ', expected a constant",
    "plain < TIMESTAMP_NTZ 'yesterday'": "TIMESTAMP_NTZ 'yesterday', expected a constant",
    'day = DATE "today"': 'DATE "today", expected a constant',
    "day = DATE r'today'": "DATE r'today', expected a constant",
    "day = DATE /* ? */ 'today'": "DATE /* ? */ 'today', expected a constant",
    "day = DATE '\\u0074oday'": "DATE '\\u0074oday', expected a constant",
    "at > TIMESTAMP '12:00:00'": "TIMESTAMP '12:00:00', expected a constant",
    "day > DATE '2024'": "DATE '2024', expected a constant",
    "day < 'tomorrow'": "'tomorrow' taken for a date, expected a constant such as DATE '2024-01-31'",
    "at BETWEEN 'yesterday' AND 'now'": "'yesterday' taken for a timestamp",
    "CAST('today' AS DATE)": "'today' taken for a date",
    "TRY_CAST('today' AS DATE)": "'today' taken for a date",
    "'now'::TIMESTAMP_NTZ": "'now' taken for a timestamp_ntz",
    "date('today')": "'today' taken for a date",
    "CAST(concat('to', 'day') AS DATE)": "concat('to', 'day') taken for a date",
    "to_date('now')": "'now' taken for a date",
    "try_to_date('now')": "'now' taken for a date",
    "to_timestamp('now')": "'now' taken for a timestamp",
    "datediff('now', day)": "'now' taken for a date",
    "coalesce(day, 'today')": "'today' taken for a date",
    "array(day, 'today')[1]": "'today' taken for a date",
    "CASE WHEN yes THEN 'now' ELSE at END": "'now' taken for a timestamp",
    "CAST(array('today') AS ARRAY<DATE>)[0]": "array('today') taken for a array<date>",
    "CAST(clock AS TIMESTAMP)": "the text clock taken for a timestamp: Spark would take '12:00' for an",
    "clock < at": "the text clock taken for a timestamp",
    "hour(clock)": "the text clock taken for a timestamp",
    "to_timestamp(clock)": "the text clock taken for a timestamp",
    "to_utc_timestamp(clock, 'Europe/Paris')": "the text clock taken for a timestamp",
    "CAST(array(clock) AS ARRAY<TIMESTAMP>)[0]": "the text array(clock) taken for a array<timestamp>",
    "transform(array(clock), c -> CAST(c AS TIMESTAMP))[0]": "the text namedlambdavariable() taken for a timestamp",
}
UNFIT = {
    "n +": "does not fit: [PARSE_SYNTAX_ERROR]",
    "n; n": "does not fit: [PARSE_SYNTAX_ERROR]",
    "/*+ BROADCAST(n) */ n": "does not fit: [PARSE_SYNTAX_ERROR]",
    "": "does not fit: [PARSE_",
    "@@n": "does not fit: [PARSE_SYNTAX_ERROR]",
    "nn + 1": "does not fit: [UNRESOLVED_COLUMN.WITH_SUGGESTION]",
    "system.session.n": "does not fit: [UNRESOLVED_COLUMN",
    "n + array(1)": "does not fit: [DATATYPE_MISMATCH",
    "abs(DISTINCT n)": "does not fit: [INVALID_SQL_SYNTAX",
}


@pytest.fixture(scope="module")
def row(spark):
    return spark.sql(ROW)


def test_accepted(row):
    """All of them give their values for one row: by ANSI rules, in UTC, and in no other language than English."""
    columns = [guard.column(row, "here", sql).alias(str(place)) for place, sql in enumerate(ACCEPTED)]
    values = dict(zip(ACCEPTED, row.select(*columns).first(), strict=True))
    wrong = {sql: value for sql, value in values.items() if value != ACCEPTED[sql]}
    assert wrong == {}


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(row, sql):
    with pytest.raises(UsageError) as refused:
        guard.column(row, "project.expressions.x", sql)
    message = str(refused.value)
    assert message.startswith(f"project.expressions.x: the expression {sql!r} holds {REFUSED[sql]}")
    assert message.endswith("on any machine (docs/projects.md, Expressions). Nothing was written.")


@pytest.mark.parametrize("sql", UNFIT)
def test_what_spark_refuses_is_told_in_its_words(row, sql):
    with pytest.raises(UsageError, match=r"Nothing was written.$") as refused:
        guard.column(row, "here", sql)
    assert str(refused.value).startswith(f"here: the expression {sql!r} {UNFIT[sql]}")


def test_a_type_that_is_not_asked_for_is_refused(row):
    with pytest.raises(UsageError, match=r"gives a string, expected one of: numeric, boolean. Convert it"):
        guard.column(row, "here", "text", (NumericType, BooleanType))


def test_each_column_may_use_the_ones_before_it(row):
    assert guard.add_columns(row, "here", {"m": "n + 1", "k": "m * 2"}).first()["k"] == 8
    with pytest.raises(UsageError, match=r"^here.k: the expression 'm' does not fit.* Columns are n, x, text, "):
        guard.add_columns(row, "here", {"k": "m", "m": "n + 1"})


def test_all_that_is_wrong_is_told_at_once(spark):
    declared = {"a": "now()", "b": "n + 1", "c": "n +", "d": "rand() > uuid()"}
    with pytest.raises(UsageError) as refused:
        syntax.require_allowed(spark, declared)
    first, second, third = str(refused.value).splitlines()
    assert first == "a: the expression 'now()' holds the function now."
    assert second.startswith("c: the expression 'n +' does not fit: [PARSE_SYNTAX_ERROR]")
    assert third.startswith("d: the expression 'rand() > uuid()' holds the function rand, the function uuid. An expres")


def test_a_function_that_the_session_has_replaced_is_refused(spark, row):
    """Spark may take somebody's function for its own of that name; who has it, decides what it gives."""
    fresh = spark.newSession()
    fresh.udf.register("abs", lambda number: number)
    fresh.sql("CREATE TEMPORARY FUNCTION sqrt(x DOUBLE) RETURNS DOUBLE RETURN x + 1")
    for sql in ("abs(n)", "1 + SQRT(x)"):
        with pytest.raises(UsageError, match=r"holds the function \w+, which this session has replaced by one of its"):
            syntax.require_allowed(fresh, {"here": sql})
        syntax.require_allowed(spark, {"here": sql})


def test_a_variable_of_the_session_is_no_column(spark):
    fresh = spark.newSession()
    fresh.sql("DECLARE VARIABLE threshold INT DEFAULT 5")
    with pytest.raises(UsageError, match=r"threshold=5\), which is no column"):
        guard.column(fresh.sql(ROW), "here", "n > threshold")


def test_a_session_without_a_parser_is_refused():
    with pytest.raises(UsageError, match="This is a session of Spark Connect, where expressions cannot be checked"):
        syntax.require_allowed(SimpleNamespace(), {"here": "n"})


def test_every_function_on_the_list_is_one_of_spark_s_own_for_values_of_a_row(spark):
    catalog = spark._jsparkSession.sessionState().catalog()
    groups = {}
    for name in FUNCTIONS:
        function = catalog.lookupBuiltinOrTempFunction(name)
        groups[name] = function.get().getGroup() if function.isDefined() else "unknown"
    wrong = {name: group for name, group in groups.items() if re.search("unknown|agg|window|generator|table", group)}
    assert wrong == {}


def test_text_is_folded_in_one_language_on_every_machine(spark):
    """In Java of a Turkish machine the capital of i has a dot."""
    assert spark._jvm.java.util.Locale.getDefault().toLanguageTag() == "en-US"
    assert spark.range(1).select(F.expr("upper('iï')")).first()[0] == "IÏ"

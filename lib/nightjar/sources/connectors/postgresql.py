"""PostgreSQL by JDBC: a state of a database that several connections read, and what its errors say."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

DRIVER = "org.postgresql.Driver"
PACKAGE = "org.postgresql:postgresql:42.7.14"
"""Maven's coordinate of it."""
ISOLATION = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
SETTINGS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "idle_in_transaction_session_timeout": "0",
}
"""What a role or database may have otherwise: how values are shown as texts, and when a connection is ended over which
nothing is sent, such as the one that waits for the others."""
NUMBERS = frozenset({-5, 2, 4, 5})  # those of `java.sql.Types`: BIGINT, NUMERIC, INTEGER, SMALLINT
DATE, TIMESTAMP = 91, 93


@dataclass(frozen=True)
class Snapshot:
    """What a database holds at one moment. It lasts as long as the transaction of its connection.

    Attributes:
        connection: of Java.
        name: by which other connections read the same state.
    """

    connection: Any
    name: str

    @property
    def initial_statements(self) -> str:
        """What a connection has to begin with in order to read this state, in a transaction."""
        return "; ".join([ISOLATION, f"SET TRANSACTION SNAPSHOT '{self.name}'", *_set()])

    def columns(self, query: str) -> list[tuple[str, int]]:
        """Name and type, one of `java.sql.Types`, of each column of a query."""
        described = self._execute(query).getMetaData()
        numbers = range(1, described.getColumnCount() + 1)
        return [(described.getColumnLabel(number), described.getColumnType(number)) for number in numbers]

    def texts(self, query: str) -> list[str | None]:
        """The values of a query with one column."""
        return _texts(self._execute(query))

    def _execute(self, query: str) -> Any:
        return self.connection.createStatement().executeQuery(query)

    def close(self) -> None:
        """End it, if Java and the database have not."""
        with suppress(Py4JError, ConnectionError):
            self.connection.close()


def has_driver(spark: SparkSession) -> bool:
    """Whether Spark's Java has the driver."""
    java: Any = spark.sparkContext._jvm  # noqa: SLF001  (PySpark's only way to ask Java)
    return bool(java.org.apache.spark.util.Utils.classIsLoadable(DRIVER))


def properties(user: str, password: str | None) -> dict[str, str]:
    """Of a connection."""
    return {"user": user, "ApplicationName": "nightjar", "tcpKeepAlive": "true"} | (
        {} if password is None else {"password": password}
    )


def snapshot(spark: SparkSession, url: str, of_connection: dict[str, str]) -> Snapshot:
    """Connect, and hold the state that the database has now.

    Raises:
        Py4JJavaError: see `failure`.
    """
    java: Any = spark.sparkContext._jvm  # noqa: SLF001  (PySpark's only way to Java)
    properties = java.java.util.Properties()
    for name, value in of_connection.items():
        properties.setProperty(name, value)
    connection = java.org.postgresql.Driver().connect(url, properties)
    try:
        connection.setAutoCommit(False)
        for statement in [ISOLATION, *_set()]:
            connection.createStatement().execute(statement)
        (exported,) = _texts(connection.createStatement().executeQuery("SELECT pg_export_snapshot()"))
    except Py4JError:
        connection.close()
        raise
    return Snapshot(connection, str(exported))


def _texts(result: Any) -> list[str | None]:
    values = []
    while result.next():
        values.append(result.getString(1))
    return values


def _set() -> Sequence[str]:
    return [f"SET LOCAL {name} = '{value}'" for name, value in SETTINGS.items()]


@dataclass(frozen=True)
class Failure:
    """What PostgreSQL or its driver says.

    Attributes:
        state: SQLSTATE, of five signs; empty: none.
        message: in one line.
    """

    state: str
    message: str


def failure(error: BaseException) -> Failure | None:
    """What the driver says in the chain of causes of an error of Java; None where it says nothing."""
    java: Any = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    try:
        while java is not None:
            if java.getClass().getName().startswith("org.postgresql."):
                return _failure(java)
            java = java.getCause()
    except (Py4JError, ConnectionError):  # Java does not answer any more
        return None
    return None


def _failure(java: Any) -> Failure:
    from_server, cause = java.getServerErrorMessage(), java.getCause()
    parts = [java.getMessage()]
    if from_server is not None:
        parts = [from_server.getMessage(), from_server.getDetail(), from_server.getHint()]
    elif cause is not None:
        parts.append(cause.toString())
    lines = [" ".join(str(part).split()).rstrip(".") for part in parts if part]
    return Failure(java.getSQLState() or "", ". ".join(lines))


def quoted(name: str) -> str:
    """A name as an identifier, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as a value, of the type that its place asks for."""
    return "'" + text.replace("'", "''") + "'"

"""The columns that an expression names, told by its text alone, without Spark's parser.

A word is a column where the grammar expects an operand, and the word is not a function, the type of a constant, or a
lambda's parameter. What is read in another way than Spark reads it would be a false alarm, so an expression with
anything unusual is not read at all.
"""

import re

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | --(?:\\\n|[^\r\n])* | /\*(?!\+)(?:(?!/\*|\*/).)*\*/)
    | (?P<string>r'[^']*' | r"[^"]*" | '(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*")
    | (?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?(?:bd|[lsyfd])?(?!\w))
    | (?P<word>\w+)
    | (?P<quoted>`(?:[^`]|``)+`)
    | (?P<symbol><=>|->|=>|::|[-()\[\],.+*/%<>=!&|^~:])
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_END = ("end", "")
_PREFIXES = frozenset({"all", "case", "distinct", "not"})
"""Words after which an operand or an operator may stand."""
_OPERATORS = frozenset(
    {
        *("and", "between", "div", "else", "escape", "for", "from", "ilike", "in", "is", "like", "not", "or"),
        *("placing", "regexp", "rlike", "then", "when"),
    }
)
"""Words after which an operand is expected."""
_CONSTANTS = re.compile(
    r"null|true|false|unknown|user|session_user|localtime(stamp)?|grouping__id|"
    r"current_(catalog|database|date|path|schema|time|timestamp|timezone|user)"
)
"""Words that are values; some of them only where there is no column of that name."""
_OPTIONS_OF_TRIM = frozenset({"both", "leading", "trailing"})
_OF_UNITS = frozenset({"date_add", "date_diff", "dateadd", "datediff", "timestampadd", "timestampdiff", "timediff"})
"""Functions whose first argument may be a unit."""
_UNIT = re.compile(r"(year|quarter|month|week|day|dayofyear|hour|minute|second|millisecond|microsecond|nanosecond)s?")
_NESTED_TYPES = frozenset({"array", "interval", "map", "struct"})


class _UnusualError(Exception):
    """Something that this module does not read."""


def columns_in(sql: str) -> tuple[str, ...] | None:
    """The names of the columns in an expression, each once, in order; of a.b it is a. None: it is not certain.

    Example:
        >>> columns_in("CASE WHEN speed > 3 THEN transform(items, i -> i + pair.a) END")
        ('speed', 'items', 'pair')
        >>> columns_in("sum(speed) OVER w") is None
        True
    """
    try:
        return tuple(dict.fromkeys(_Reader(sql).read()))
    except _UnusualError:
        return None


def _tokens(sql: str) -> list[tuple[str, str]]:
    """Kind and text of each token."""
    tokens, place = [], 0
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:
            raise _UnusualError
        place, kind, text = match.end(), str(match.lastgroup), match[0]
        if kind == "word" and not text.isascii():  # Spark asks for backticks
            raise _UnusualError
        if kind == "quoted":
            text = text[1:-1].replace("``", "`")
        if kind != "space":
            tokens.append((kind, text))
    return [*tokens, _END, _END]


class _Reader:
    """Reads the tokens of one expression from left to right."""

    def __init__(self, sql: str) -> None:
        self.tokens = _tokens(sql)
        self.place = 0
        self.expects_operand = True
        self.has_interval = False
        self.calls: list[str] = []  # the functions whose brackets are open; empty for plain brackets
        self.columns: list[str] = []
        self.parameters = self._parameters()

    def read(self) -> list[str]:
        """The columns that are no parameters of a lambda."""
        while (token := self.tokens[self.place]) != _END:
            kind, text = token
            if kind in ("string", "number"):
                self._step(expects_operand=False)
            elif kind == "symbol":
                self._read_symbol(text)
            elif self.expects_operand:
                self._read_operand(kind, text)
            else:
                self._read_operator(kind, text.lower())
        return [name for name in self.columns if name.lower() not in self.parameters]

    def _parameters(self) -> set[str]:
        """The names before each arrow, in brackets or without."""
        names = set()
        for place, token in enumerate(self.tokens):
            if token != ("symbol", "->"):
                continue
            first = last = place - 1
            while self.tokens[last] == ("symbol", ")") and first > 0 and self.tokens[first] != ("symbol", "("):
                first -= 1
            names |= {text.lower() for _, text in self.tokens[max(first, 0) : place]}
        return names

    def _step(self, count: int = 1, *, expects_operand: bool) -> None:
        self.place += count
        self.expects_operand = expects_operand

    def _require(self, condition: bool) -> None:  # noqa: FBT001  (what is required)
        if not condition:
            raise _UnusualError

    def _follows(self, text: str, distance: int = 1) -> bool:
        return self.tokens[self.place + distance] == ("symbol", text)

    def _read_symbol(self, text: str) -> None:
        self._require(text not in (":", "=>"))
        if text == "(":
            self._require(self.expects_operand)
            self.calls.append("")
        elif text == ")":
            self._require(bool(self.calls))
            self.calls.pop()
        elif text == ".":
            self._require(not self.expects_operand and self.tokens[self.place + 1][0] in ("word", "quoted"))
            self.place += 1
        elif text == "::":
            self.place += 1
            self._skip_type()
            return
        self._step(expects_operand=text not in (")", "]", "."))

    def _skip_type(self) -> None:
        """The type of a conversion: one word, and what it has in brackets."""
        kind, text = self.tokens[self.place]
        self._require(kind == "word" and text.lower() not in _NESTED_TYPES)
        self._step(expects_operand=False)
        if self._follows("(", 0):
            self.place += 1
            self._skip_to_bracket()
            self.place += 1

    def _skip_to_bracket(self) -> None:
        """To the bracket that closes the innermost open one."""
        depth = 0
        while depth or not self._follows(")", 0):
            self._require(self.tokens[self.place] != _END)
            depth += self._follows("(", 0) - self._follows(")", 0)
            self.place += 1

    def _read_operand(self, kind: str, text: str) -> None:
        word = text.lower() if kind == "word" else ""
        next_kind, _ = self.tokens[self.place + 1]
        if word in _PREFIXES or (word in _OPERATORS and self._is_after_prefix()):
            self._step(expects_operand=True)
        elif word and next_kind == "string":  # the type of a constant
            self.has_interval |= word == "interval"
            self._step(expects_operand=True)
        elif word == "interval" and (next_kind == "number" or self._is_signed_number()):
            self.has_interval = True
            self._step(expects_operand=True)
        else:
            unusual = word in ("as", "select") or (word == "end" and self._is_after_prefix())
            self._require(not unusual and (word not in _OPERATORS or self._follows("(")))
            self._read_name(word, text)

    def _is_after_prefix(self) -> bool:
        kind, text = self.tokens[self.place - 1] if self.place else _END
        return kind == "word" and text.lower() in _PREFIXES | _OPTIONS_OF_TRIM

    def _is_signed_number(self) -> bool:
        signed = self._follows("-") or self._follows("+")
        return signed and self.tokens[self.place + 2][0] in ("number", "string")

    def _read_name(self, word: str, text: str) -> None:
        """A function, a constant or a column, with the fields after it."""
        count = 1
        while self._follows(".", count) and self.tokens[self.place + count + 1][0] in ("word", "quoted"):
            count += 2
        if self._follows("(", count):
            function = text.lower() if count == 1 else ""
            self.calls.append(function)
            self._step(count + 1, expects_operand=True)
            self._skip_word_of(function)
            return
        if not _CONSTANTS.fullmatch(word):
            self.columns.append(text)
        self._step(count, expects_operand=False)

    def _skip_word_of(self, function: str) -> None:
        """The first argument of some functions may be a word that is no column."""
        kind, text = self.tokens[self.place]
        word = text.lower() if kind == "word" else ""
        if function == "trim" and word in _OPTIONS_OF_TRIM:
            self._step(expects_operand=True)
        of_extract = function == "extract" and self.tokens[self.place + 1][1].lower() == "from"
        if of_extract or (function in _OF_UNITS and _UNIT.fullmatch(word) and self._follows(",")):
            self._step(expects_operand=False)

    def _read_operator(self, kind: str, word: str) -> None:
        self._require(kind == "word")
        if word == "as":
            self._require(bool(self.calls) and self.calls[-1] in ("cast", "try_cast"))
            self._skip_to_bracket()
            return
        of_interval = self.has_interval and (word == "to" or _UNIT.fullmatch(word) is not None)
        self._require(word in _OPERATORS or word == "end" or of_interval)
        self._step(expects_operand=word in _OPERATORS)

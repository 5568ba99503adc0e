"""A line of JSON is what Python reads of it, and its numbers are the digits that stand there."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightjar.sources.formats import contents
from nightjar.sources.formats.json_lines import _names, texts

KEYS = st.text(max_size=3) | st.sampled_from(["a", 'q"', "\\", "}", "{", ",", ":", "\u2028"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.booleans(), st.sampled_from([None, 1]), st.sampled_from(["", " "]))
def test_every_value_is_the_text_that_stands_there(members, is_ascii, indent, blank):
    """Lists and objects are written on their own as they are within the line."""
    written = {name: json.dumps(value, ensure_ascii=is_ascii) for name, value in members.items()}
    pairs = [f"{json.dumps(name)}{blank}:{blank}{text}" for name, text in written.items()]
    line = f"{blank}{{{blank}{f'{blank},{blank}'.join(pairs)}{blank}}}{blank}"
    assert json.loads(line).keys() == members.keys()
    expected = {name: value if isinstance(value, str) else written[name] for name, value in members.items()}
    expected |= {name: None for name, value in members.items() if value is None}
    assert texts(line, [*members, "none"]) == [*expected.values(), None]


def test_digits_are_not_rounded_and_spaces_within_a_value_stay():
    line = '{"long": 9223372036854775808123, "number":1.10, "big":1e400, "list":[1.50, {"x" : [] }], "nan":NaN, "n":-0}'
    columns = ["long", "number", "big", "list", "nan", "n"]
    assert texts(line, columns) == ["9223372036854775808123", "1.10", "1e400", '[1.50, {"x" : [] }]', "NaN", "-0"]


BROKEN = {
    "two objects": '{"a":1}{"a":2}',
    "more behind it": '{"a":1} x',
    "cut off": '{"a":1',
    "a list": '[{"a":1}]',
    "a number": "1",
    "null": "null",
    "a name twice": '{"a":1,"\\u0061":2}',
    "single quotes": "{'a':1}",
    "a bare name": "{a:1}",
    "a comma too many": '{"a":1,}',
    "a leading zero": '{"a":01}',
    "a comment": '{"a":1} // x',
    "a tab in a text": '{"a":"\t"}',
    "half of a sign": '{"a":"\\ud83d"}',
    "too deep": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
def test_what_is_not_one_object_with_each_name_once_is_none(line):
    with pytest.raises((ValueError, RecursionError)):
        texts(line, ["a"])


@pytest.mark.parametrize("chunk", [4, 1 << 20])
@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", None),
        (b"\n \r\n", None),
        (b'\xef\xbb\xbf{"b": 1, "a": {}}\r\n{"c": 1}\n', ["b", "a"]),
        (b'{"b": "a"}\n\n{"b": {"a": 1}}\nbroken "a"\n{"\\u0061": null}\n{"c": 1}\n', ["b", "a"]),
        (b'{"b": 1}\n{"b": "\\"a\\""}\n', ["b"]),
        (b'{}\n[{"a": 1}]', []),
        (b'K\xf6ln "a"\n{"a": 1}', ["a"]),
    ],
)
def test_the_names_in_a_file_are_looked_for_until_all_columns_are_there(tmp_path, monkeypatch, chunk, content, names):
    monkeypatch.setattr(contents, "CHUNK", chunk)
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(content))
    assert _names(str(tmp_path / "x.json.gz"), ["a"]) == names

"""SHA-256 of many messages: that of the standard library, whatever lengths lie beside each other."""

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nightjar.compiled.hashing import hash_messages


def digests(messages):
    ends = np.cumsum([0, *map(len, messages)])
    result = np.empty((len(messages), 64), np.uint8)
    hash_messages(np.frombuffer(b"".join(messages) + b"\0", np.uint8), ends, result)
    return [bytes(row).decode() for row in result]


@given(st.lists(st.integers(0, 300).flatmap(lambda size: st.binary(min_size=size, max_size=size)), max_size=70))
def test_each_message_has_its_hash(messages):
    assert digests(messages) == [hashlib.sha256(one).hexdigest() for one in messages]


def test_every_length_around_the_ends_of_blocks():
    messages = [bytes([size]) * size for size in range(200)]
    assert digests(messages) == [hashlib.sha256(one).hexdigest() for one in messages]

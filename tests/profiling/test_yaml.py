import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from nightjar.profiling.remarks import Remark
from nightjar.profiling.yaml import comment, flow

TEXT = st.text(min_size=1).filter(lambda text: "\\${" not in text) | st.sampled_from(
    ["NO", "on", "1e3", "~", "null", "0123", "2024-01-01", "1_000", "${x}", "a: b", "# a", "30d", "y", "-", "1:30"]
)


@pytest.mark.slow
@settings(max_examples=50)
@given(st.dictionaries(TEXT.filter(lambda text: "${" not in text), st.lists(TEXT | st.booleans() | st.integers())))
def test_what_is_written_is_read_as_it_was_meant(values):
    read = OmegaConf.create(f"made: {flow(values)}\n")
    assert OmegaConf.to_container(read, resolve=True) == {"made": values}


@given(st.text())
def test_a_comment_says_nothing_to_yaml(text):
    assert OmegaConf.to_container(OmegaConf.create(comment(Remark(text, is_open=True), 4) + "a: 1\n")) == {"a": 1}

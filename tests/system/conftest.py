"""The processes of these tests live for seconds: compiling their Java code thoroughly would cost more than it saves."""

import pytest

import builders


@pytest.fixture(scope="module", autouse=True)
def _quick_java():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_TOOL_OPTIONS", builders.QUICK_JAVA)
        yield

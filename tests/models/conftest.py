import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True)
def _one_thread():
    """A dozen rows are not worth a team of threads: waiting for each other takes them far longer than the work."""
    with threadpool_limits(1):
        yield

"""A desk with forty cases or so, and two people who may enter its page."""

import pytest

from nightjar.review.desk import Desk
from nightjar.tables.warehouse import Warehouse
from review import loans


@pytest.fixture
def warehouse(tmp_path):
    empty = Warehouse(str(tmp_path / "warehouse"), "loans")
    empty.check_writable()
    return empty


@pytest.fixture
def desk(warehouse):
    project = loans.project()
    loans.store(warehouse, project)
    return Desk(warehouse, project, "review-1")

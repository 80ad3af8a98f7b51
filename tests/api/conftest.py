"""Fixtures of the API tests."""

from collections.abc import Iterator

import pytest
from litestar.testing import TestClient

from tests.api.fake_library import FakeLibrary, client, filled


@pytest.fixture
def library(tmp_path) -> FakeLibrary:
    return filled(tmp_path)


@pytest.fixture
def api(library) -> Iterator[TestClient]:
    with client(library) as open_client:
        yield open_client

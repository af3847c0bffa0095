"""Settings that point into a temporary folder."""

from pathlib import Path

import pytest
from localcluster.settings import Settings


@pytest.fixture
def chosen(tmp_path: Path) -> Settings:
    return Settings(name="unit", api_port=26111, http_port=26112, cache=tmp_path / "cache")

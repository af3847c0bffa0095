"""What the chart's tests share."""

import pytest

from tests.chart.described_values import Value, described_values
from tests.chart.helm_cli import CHART, Helm, Rendered, find_helm


@pytest.fixture(scope="session")
def helm() -> Helm:
    """The real helm; the tests fail, not skip, without one."""
    return find_helm()


@pytest.fixture(scope="session")
def default(helm: Helm) -> Rendered:
    """The chart as `helm install` with no values gives it."""
    return helm.template()


@pytest.fixture(scope="session")
def values() -> list[Value]:
    """Every value of the chart, with its description."""
    return described_values((CHART / "values.yaml").read_text(encoding="utf-8"))

"""One small sample for the tests that read a sample."""

from __future__ import annotations

import pytest

from simulator import SampleReport, write_sample


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleReport:
    return write_sample(tmp_path_factory.mktemp("sample"), days=45, seed=11, scale=0.15)

"""The connection to the database is cut while data is on its way: a sentence, nothing lost."""

import random
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from ingestion.load_errors import LoadError
from tests.python.ingestion.faults.conftest import State, Trial
from tests.python.ingestion.faults.cutting_proxy import CuttingProxy

pytestmark = pytest.mark.slow


def load_through(trial: Trial, proxy: CuttingProxy) -> None:
    parameters = {**trial.warehouse.parameters, "host": "127.0.0.1", "port": str(proxy.port)}

    def connect(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(**{**parameters, "sslmode": "disable", **options})

    try:
        trial.load(connect)
    finally:
        proxy.close()


def address(trial: Trial) -> tuple[str, int]:
    return "127.0.0.1", int(trial.warehouse.parameters["port"])


def test_cut_after_so_many_bytes(new_trial: Callable[[], Trial], clean: State) -> None:
    undisturbed = new_trial()
    whole = CuttingProxy(address(undisturbed))
    load_through(undisturbed, whole)
    undisturbed.assert_like(clean)
    chance = random.Random(22)
    for part in range(6):
        trial = new_trial()
        place = int(whole.sent * (part + chance.random()) / 6)
        proxy = CuttingProxy(address(trial), place)
        with pytest.raises(LoadError, match=r"The database went away .* run again"):
            load_through(trial, proxy)
        assert proxy.was_cut
        trial.assert_sound()
        trial.load()
        trial.assert_like(clean)


def test_cut_within_a_copy(new_trial: Callable[[], Trial], clean: State) -> None:
    """Again and again on one warehouse, each time in the midst of a COPY of rows."""
    trial = new_trial()
    for wanted in (1, 3, 5, 8, 13):
        proxy = CuttingProxy(address(trial))
        seen = 0

        class Cursor(psycopg.Cursor[Any]):
            def copy(self, *given: Any, proxy: CuttingProxy = proxy, wanted: int = wanted,
                     **options: Any) -> Any:  # fmt: skip
                nonlocal seen
                seen += 1
                if seen == wanted:
                    proxy.cut_after = proxy.sent + 100  # the statement itself gets through
                return super().copy(*given, **options)

        parameters = {**trial.warehouse.parameters, "host": "127.0.0.1", "port": str(proxy.port)}

        def connect(given: dict[str, str] = parameters, cursor: Any = Cursor,
                    **options: Any) -> Any:  # fmt: skip
            return psycopg.connect(
                **{**given, "sslmode": "disable", "cursor_factory": cursor, **options}
            )

        with pytest.raises(LoadError, match="run again"):
            trial.load(connect)
        proxy.close()
        assert proxy.was_cut
        trial.assert_sound()
    trial.load()
    trial.assert_like(clean)

"""What a run of dbt did, as its results say it."""

from types import SimpleNamespace
from typing import Any

import pytest

from tallyhouse import dbt
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings


def result(name: str, status: str, failures: int = 0, description: str = "") -> Any:
    node = SimpleNamespace(name=name, resource_type="test", description=description)
    return SimpleNamespace(node=node, status=status, failures=failures, message="")


def outcome(*results: Any) -> dbt.DbtOutcome:
    return dbt._outcome(SimpleNamespace(success=True, result=SimpleNamespace(results=[*results])))


def test_a_test_that_warns_is_a_pass_that_speaks() -> None:
    made = outcome(
        result("rates_are_known", "warn", 2, "Amounts\n  without a rate."),
        result("zones_are_known", "warn", 1),
        result("keys_are_unique", "pass"),
    )
    assert (made.tests_passed, made.tests_failed) == (3, 0)
    assert made.warned == (
        "rates_are_known warns of 2 rows: Amounts without a rate.",
        "zones_are_known warns of 1 row.",
    )


def test_two_runs_warn_of_the_same_once() -> None:
    one, other = (
        outcome(result("a", "warn", 1)),
        outcome(result("a", "warn", 1), result("b", "warn")),
    )
    assert (one + other).warned == ("a warns of 1 row.", "b warns of 0 rows.")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (SystemExit(143), SystemExit),
        (ValueError("so"), TallyhouseError),
    ],
)
def test_an_interrupt_that_dbt_caught_stays_one(
    raised: BaseException, told: type[BaseException]
) -> None:
    """dbt hands it out as though it were an error of its own, from parsing as from building."""

    def on_event(_event: Any) -> None:
        raise raised

    with pytest.raises(told):
        dbt._invoke(["parse"], Settings.from_env({}), dict(dbt.QUIET), on_event)

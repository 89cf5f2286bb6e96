"""What `tallyhouse build --select` is asked for must be there, word by word."""

from collections.abc import Callable

import pytest

from app import building
from tallyhouse.database import Warehouse
from tallyhouse.errors import TallyhouseError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "select", ["dim_dat", "currencies dim_dat", "currencies,tag:none dim_date"]
)
def test_a_word_that_names_nothing_is_refused_and_nothing_is_built(
    fresh_database: Callable[..., Warehouse], select: str
) -> None:
    warehouse = fresh_database("selection", prepared=True)
    missing = next(word for word in select.split() if word not in ("currencies", "dim_date"))
    with pytest.raises(TallyhouseError, match=f"Nothing here is named by --select {missing}"):
        building.build(warehouse.settings, warehouse, select=select)
    with warehouse.connect() as connection:
        row = connection.execute(
            "select to_regclass('reference.currencies'), to_regclass('core.dim_date')"
        ).fetchone()
    assert row == (None, None)

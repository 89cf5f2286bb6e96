"""What leaves the machine on its way to the database is encrypted, or the address is refused."""

import pytest
from psycopg import conninfo

from tallyhouse.database.warehouse import require_encryption
from tallyhouse.errors import TallyhouseError


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("postgresql://a@127.0.0.1/x", None),
        ("postgresql://a@localhost/x?sslmode=disable", "disable"),
        ("postgresql://a@[::1]/x", None),
        ("postgresql:///x?host=/tmp", None),
        ("postgresql://a@db.example.org/x", "require"),
        ("postgresql://a@db.example.org/x?sslmode=verify-full", "verify-full"),
        ("postgresql://a@127.0.0.1,db.example.org/x", "require"),
        ("postgresql://a@localhost/x?hostaddr=10.0.0.7", "require"),
    ],
)
def test_what_leaves_the_machine_is_encrypted(url: str, mode: str | None) -> None:
    parameters = {k: str(v) for k, v in conninfo.conninfo_to_dict(url).items()}
    require_encryption(parameters)
    assert parameters.get("sslmode") == mode


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
def test_an_address_that_may_send_in_clear_is_refused(mode: str) -> None:
    with pytest.raises(
        TallyhouseError, match=f"sslmode={mode}, which may send everything in clear"
    ):
        require_encryption({"host": "db.example.org", "sslmode": mode})

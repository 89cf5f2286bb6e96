"""Which declared table a record means, and what it is called where none is meant.

A contract writes `schema__table`, and the tables of one schema, its home, without it. The home is what the
contract says; else what the connector's databases call so by custom (public, dbo). Where there is no such
custom, a bare name takes the records of any schema or database, and says that nobody named it. A record
of another schema never meets a table of the same name. Belongs here: that. Does not belong here: what a name
is stored as (`ingestion.cdc.names`).
"""

from typing import NamedTuple

from ingestion.cdc.contract import ALWAYS_IGNORED, CdcContract
from ingestion.cdc.decode.connectors import WITHOUT_SCHEMAS
from ingestion.privacy.scrub import without_values

_HOME_BY_CUSTOM = {"postgresql": "public", "sqlserver": "dbo"}
_WITHOUT_CUSTOM = frozenset({"mysql", "mariadb", "mongodb", "vitess", "oracle", "db2"})
_FOLDED_TO_CAPITALS = frozenset({"oracle", "db2"})  # a name that nobody quoted there
MAX_SHOWN = 200  # characters of a name that nobody declared


class Place(NamedTuple):
    """Where a record says that its row lies. There is no schema where tables lie right in a database."""

    table: str
    schema: str | None = None
    database: str | None = None
    connector: str | None = None


class TableName(NamedTuple):
    """`name` is the contract's where it declares the table."""

    name: str
    is_declared: bool
    is_ignored: bool = False
    unnamed_home: str | None = None  # the schema that a bare name was taken for, unsaid by anybody


class TableNames:
    """The tables of one contract."""

    def __init__(self, contract: CdcContract) -> None:
        self._contract = contract
        self._tables = contract.tables
        self._ignored = frozenset(contract.ignored_tables)

    def of(self, place: Place) -> TableName:
        """The table of a record that names one."""
        if place.connector in _FOLDED_TO_CAPITALS:
            exact = self._find(place)
            if exact.is_declared or exact.is_ignored or not _is_in_capitals(place):
                return exact
            place = place._replace(
                table=place.table.lower(), schema=place.schema and place.schema.lower()
            )
        return self._find(place)

    def _find(self, place: Place) -> TableName:
        table, schema, database, _ = place
        named, inner = self._contract.database, _schema_of(place)
        is_elsewhere = bool(named and database) and database != named
        is_home, unnamed = (False, None) if is_elsewhere else self._is_home(inner, place)
        names = [f"{database}__{inner}__{table}"] if schema and database else []
        if inner and not (is_elsewhere and schema):
            names.append(f"{inner}__{table}")
        if is_home:
            names.append(table)
        if table.lower() in ALWAYS_IGNORED or not self._ignored.isdisjoint(names):
            return TableName(names[-1], False, is_ignored=True)
        for name in names:
            if name in self._tables:
                return TableName(name, True, unnamed_home=unnamed if name == table else None)
        shown = names[0 if is_elsewhere else -1]
        return TableName(without_values(shown.replace("\x00", "\ufffd")[:MAX_SHOWN]), False)

    def _is_home(self, inner: str | None, place: Place) -> tuple[bool, str | None]:
        """Whether the tables of a schema are written without it; and the schema, where nobody says so."""
        if inner is None or (place.schema is None and inner == self._contract.database):
            return True, None
        said, connector = self._contract.home_schema, place.connector
        if said is None and connector in _WITHOUT_CUSTOM:
            return True, inner
        home = said or _HOME_BY_CUSTOM.get(connector or "", "public")
        if connector in _FOLDED_TO_CAPITALS:
            return home.lower() == inner.lower(), None
        return home == inner, None


def schema_without_custom(place: Place) -> str | None:
    """The schema or database of a record whose connector has no customary one."""
    return _schema_of(place) if place.connector in _WITHOUT_CUSTOM else None


def _schema_of(place: Place) -> str | None:
    """The schema, or the database that stands for one."""
    return place.database if place.connector in WITHOUT_SCHEMAS else place.schema


def _is_in_capitals(place: Place) -> bool:
    names = f"{place.schema or ''}{place.table}"
    return names == names.upper()

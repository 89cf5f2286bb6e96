"""Which columns of which tables a column of a model is made of, read from the model's compiled SQL.

Belongs here: following columns through a query. Does not belong here: when a model was built (`dbt_events`).

Only what a column's value is computed from counts: what rows are joined, filtered or grouped by does not.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

Columns = Mapping[str, Mapping[str, Mapping[str, str]]]  # schema → table → column → type


class Origin(NamedTuple):
    """A column of a table in the warehouse."""

    schema: str
    table: str
    column: str


def origins(query: str, columns: Columns, dialect: str = "postgres") -> dict[str, set[Origin]]:
    """Return for each column that `query` gives the columns of tables that it is computed from.

    `columns` says what the tables that it reads consist of, so that `select *` is known. Empty where the query cannot
    be followed: lineage is a help to readers, nothing rests on it.
    """
    try:
        parsed = sqlglot.parse_one(query, dialect=dialect)
        for table in parsed.find_all(exp.Table):
            table.set("catalog", None)  # one database
        qualified = qualify(
            parsed,
            schema=MappingSchema(
                {name: dict(tables) for name, tables in columns.items()}, dialect=dialect
            ),
            dialect=dialect,
            validate_qualify_columns=False,
            identify=False,
        )
        scope = build_scope(qualified)
        names = qualified.named_selects if isinstance(qualified, exp.Query) else []
    except SqlglotError:
        return {}
    if scope is None:
        return {}
    trace = _Trace()
    return {name: trace.of(scope, name) for name in names}


class _Trace:
    """Follows columns down the scopes of one query, each of them once."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, str], set[Origin]] = {}

    def of(self, scope: Scope, name: str) -> set[Origin]:
        """What the column `name` of a scope's result is computed from."""
        key = (id(scope), name)
        if key not in self.known:
            self.known[key] = set()  # a recursive query comes back to itself
            self.known[key] = set(self._made_of(scope, name))
        return self.known[key]

    def _made_of(self, scope: Scope, name: str) -> Iterator[Origin]:
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            place = query.named_selects.index(name)
            for side in scope.set_operation_scopes:
                if isinstance(side.expression, exp.Query):
                    yield from self.of(side, side.expression.named_selects[place])
        elif isinstance(query, exp.Query):
            for made in query.selects:
                if made.alias_or_name == name:
                    yield from self._read_by(scope, made)
        else:  # a function that gives rows: everything it is called with
            yield from self._read_by(scope, query)

    def _read_by(self, scope: Scope, made: exp.Expr) -> Iterator[Origin]:
        """What an expression reads, also within subqueries of its own."""
        inner = {id(sub.expression): sub for sub in scope.subquery_scopes}
        for column in _columns_outside(made, inner):
            source = scope.sources.get(column.table)
            if isinstance(source, exp.Table):
                yield Origin(source.db, source.name, column.name)
            elif isinstance(source, Scope):
                yield from self.of(source, column.name)
        for node in made.walk():
            sub = inner.get(id(node))
            if sub is not None and isinstance(node, exp.Query):
                for name in node.named_selects:
                    yield from self.of(sub, name)


def _columns_outside(made: exp.Expr, inner: Mapping[int, Any]) -> Iterator[exp.Column]:
    """The columns of an expression but for those of the subqueries in it."""
    for node in made.walk(prune=lambda found: id(found) in inner):
        if isinstance(node, exp.Column):
            yield node

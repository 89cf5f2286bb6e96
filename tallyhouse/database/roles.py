"""The group roles of the role matrix, and the logins that are bound to tenants.

The matrix is data: one row per role, schema of marts and relation (`*` for all). Roles belong to
the whole server and are never dropped here.

Belongs here: roles, what the matrix grants them, logins of tenants. Does not belong here: when a
mart is secured (`macros/governance`), the policies themselves (`row_security.sql`).
"""

import csv
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tallyhouse.errors import TallyhouseError

COLUMNS = ("role_name", "schema_name", "relation_name", "row_scope")
SCOPES = ("own_tenants", "all_tenants")
TENANT_READER = "tallyhouse_tenant_reader"
BROKER = "tallyhouse_bi_broker"
DDL = Path(__file__).with_name("row_security.sql")

# what the loader writes down for people to read; marts of the same schema are secured by dbt
PUBLISHED = (
    "load_manifest",
    "rejected_records",
    "record_conflicts",
    "schema_drift",
    "event_schema_versions",
    "source_reconciliation",
)

Connection = psycopg.Connection[Any]


def apply(connection: Connection, csv_path: Path) -> list[str]:
    """Create missing roles, bring every grant in line with the matrix; returns its roles."""
    grants = read_matrix(csv_path)
    names = list(dict.fromkeys([TENANT_READER, BROKER, *(grant[0] for grant in grants)]))
    for name in names:
        _create_role(connection, name, csv_path)
    with connection.transaction():
        connection.execute(DDL.read_bytes())
        if _stored_matrix(connection) != set(grants):
            connection.execute("delete from governance.role_grants")
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into governance.role_grants values (%s, %s, %s, %s)", grants
                )
        for schema in sorted({grant[1] for grant in grants}):
            _open_schema(connection, schema, {g[0] for g in grants if g[1] == schema}, names)
        for name in PUBLISHED:
            connection.execute(
                "select governance.secure_relation('ops', %(name)s) "
                "where to_regclass('ops.' || %(name)s) is not null",
                {"name": name},
            )
        connection.execute("select governance.secure_all_relations()")
    return names


def bind_login(connection: Connection, login: str, tenant_id: UUID, password: str) -> None:
    """A login that sees this tenant's rows and whatever tenants it was bound to before."""
    with connection.transaction():
        found = connection.execute(
            "select rolsuper or rolbypassrls from pg_roles where rolname = %s", [login]
        ).fetchone()
        if found is not None:
            _refuse_unless_plain(connection, login, is_exempt=found[0])
        _make_login(connection, login, password)
        connection.execute(
            sql.SQL("grant {} to {}").format(sql.Identifier(TENANT_READER), sql.Identifier(login))
        )
        connection.execute(
            "insert into governance.tenant_logins (login_name, tenant_id) values (%s, %s) "
            "on conflict do nothing",
            [login, tenant_id],
        )


def join_role(connection: Connection, login: str, role: str, password: str) -> None:
    """A login that reads as a group role of the matrix; tenants' own role has `bind_login`."""
    known = {grant[0] for grant in _stored_matrix(connection)} - {TENANT_READER}
    if role not in known:
        raise TallyhouseError(
            f"{role} is no group role of the role matrix; those are {', '.join(sorted(known))}."
        )
    bound = connection.execute(
        "select 1 from governance.tenant_logins where login_name = %s limit 1", [login]
    )
    if bound.fetchone() is not None:
        raise TallyhouseError(
            f"{login} is a tenant's login; {role} would show it other tenants' rows. Use another name."
        )
    with connection.transaction():
        _make_login(connection, login, password)
        connection.execute(
            sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(login))
        )


def read_matrix(csv_path: Path) -> list[tuple[str, str, str, str]]:
    """The rows of the matrix as (role, schema, relation, scope of rows)."""
    with csv_path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise TallyhouseError(f"{csv_path} has no column {missing[0]}; every row must fill it.")
        rows = [tuple((row[name] or "").strip() for name in COLUMNS) for row in reader]
    for number, row in enumerate(rows, start=2):
        if not all(row) or row[3] not in SCOPES:
            raise TallyhouseError(
                f"Line {number} of {csv_path} must fill {', '.join(COLUMNS)}, "
                f"row_scope with one of {', '.join(SCOPES)}."
            )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _create_role(connection: Connection, name: str, csv_path: Path) -> None:
    try:
        with connection.transaction():
            found = connection.execute("select 1 from pg_roles where rolname = %s", [name])
            if found.fetchone() is None:
                connection.execute(
                    sql.SQL(
                        "create role {} nologin nosuperuser nobypassrls nocreatedb nocreaterole"
                    ).format(sql.Identifier(name))
                )
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass  # roles are the server's: another database's preparation was quicker
    except psycopg.errors.InsufficientPrivilege as error:
        raise TallyhouseError(
            f"The role {name} of {csv_path.name} does not exist and this login may not create "
            "it. Let an administrator create it, or give the login CREATEROLE."
        ) from error


def _make_login(connection: Connection, login: str, password: str) -> None:
    """Create the login or give it this password; never anything that outranks row security."""
    found = connection.execute("select rolsuper from pg_roles where rolname = %s", [login])
    existing = found.fetchone()
    if existing is not None and existing[0]:
        raise TallyhouseError(f"{login} is an administrator's login; use another name.")
    verb = "create" if existing is None else "alter"
    connection.execute(
        sql.SQL(
            verb + " role {} login nosuperuser nobypassrls nocreatedb nocreaterole password {}"
        ).format(sql.Identifier(login), sql.Literal(password))
    )


def _stored_matrix(connection: Connection) -> set[tuple[str, str, str, str]]:
    rows = connection.execute(
        "select role_name::text, schema_name::text, relation_name::text, row_scope "
        "from governance.role_grants"
    ).fetchall()
    return {(row[0], row[1], row[2], row[3]) for row in rows}


def _open_schema(
    connection: Connection, schema: str, readers: set[str], all_roles: list[str]
) -> None:
    """The schema exists, the readers may look up its marts, the matrix's other roles may not."""
    connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
    for role in all_roles:
        row = connection.execute(
            "select has_schema_privilege(%s, %s, 'usage')", [role, schema]
        ).fetchone()
        is_open = bool(row and row[0])
        if is_open == (role in readers):
            continue
        form = "revoke usage on schema {} from {}" if is_open else "grant usage on schema {} to {}"
        connection.execute(sql.SQL(form).format(sql.Identifier(schema), sql.Identifier(role)))


def _refuse_unless_plain(connection: Connection, login: str, *, is_exempt: bool) -> None:
    """A login that sees more for another reason must not be taken for one that is bound."""
    wide = connection.execute(
        "select distinct role_name::text from governance.role_grants "
        "where pg_has_role(%s, role_name, 'member') "
        "and (row_scope = 'all_tenants' or role_name = %s) order by 1",
        [login, BROKER],
    ).fetchall()
    if is_exempt or wide:
        reason = (
            "bypasses row security"
            if is_exempt
            else f"is a member of {', '.join(r[0] for r in wide)}"
        )
        raise TallyhouseError(
            f"The login {login} {reason}, so binding it to a tenant would not limit what it sees. "
            "Use another login name, or revoke that first."
        )

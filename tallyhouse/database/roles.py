"""The roles of the role matrix, and the logins that are bound to tenants or to readers.

The matrix is data: one row per role, schema of marts and relation (`*` for all). Roles belong to
the whole server and are never dropped here.

Belongs here: roles, what the matrix grants them, logins of tenants. Does not belong here: when a
mart is secured (`macros/governance`), the policies themselves (`row_security.sql`).
"""

import csv
import logging
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from tallyhouse.errors import TallyhouseError

COLUMNS = ("role_name", "schema_name", "relation_name", "row_scope")
OF_ONE = ("own_reader", "own_contributor")  # rows of one person, in a named relation
SCOPES = ("own_tenants", "all_tenants", *OF_ONE, "nothing")
ANALYST = "tallyhouse_analyst"
TENANT_READER = "tallyhouse_tenant_reader"
READER = "tallyhouse_reader"
CONTRIBUTOR = "tallyhouse_studio_contributor"
BROKER = "tallyhouse_bi_broker"
DDL = Path(__file__).with_name("row_security.sql")

# What a login may take of the server. It can undo the first three for itself: `standstill` ends what then
# holds up a build. The others it cannot.
LOGIN_SETTINGS = {
    "statement_timeout": "5min",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "2min",
    "temp_file_limit": "2GB",
}
LOGIN_CONNECTIONS = 10

# What no reader needs and any could stop others with: locks that only we take, objects outside of every
# schema, tables of their own. Taken from `public`, so from every role but the owner of the database.
KEPT_FROM_PUBLIC = ("pg_advisory_%", "pg_try_advisory_%", "lo_%", "lowrite", "loread")

NAME_BYTES = 63  # of a name in Postgres

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
log = logging.getLogger(__name__)


def apply(connection: Connection, csv_path: Path) -> list[str]:
    """Create missing roles, bring every grant in line with the matrix; returns its roles."""
    grants = read_matrix(csv_path)
    names = list(dict.fromkeys([TENANT_READER, BROKER, *(grant[0] for grant in grants)]))
    for name in names:
        create_role(connection, name, csv_path.name)
    with connection.transaction():
        connection.execute(DDL.read_bytes())
        if _stored_matrix(connection) != set(grants):
            connection.execute("delete from governance.role_grants")
            with connection.cursor() as cursor:
                cursor.executemany(
                    "insert into governance.role_grants values (%s, %s, %s, %s)", grants
                )
        for schema in sorted({grant[1] for grant in grants}):
            readers = {g[0] for g in grants if g[1] == schema and g[3] != "nothing"}
            _open_schema(connection, schema, readers, names)
        for name in PUBLISHED:
            secure(connection, "ops", name)
        connection.execute("select governance.secure_all_relations()")
    _close_to_the_public(connection)
    return names


def secure(connection: Connection, schema: str, name: str) -> None:
    """Bring grants and policies of a table that dbt does not make to what the matrix says, where it exists."""
    connection.execute(
        "select governance.secure_relation(%(schema)s, %(name)s) "
        "where to_regclass(%(schema)s || '.' || %(name)s) is not null",
        {"schema": schema, "name": name},
    )


def bind_login(
    connection: Connection,
    login: str,
    tenant_id: UUID,
    password: str,
    *,
    renew: bool = False,
    role: str = TENANT_READER,
) -> bool:
    """A login that sees this tenant's rows and whatever tenants it was bound to before.

    In which marts, the role says: one that sees its own tenants' rows, e.g. tallyhouse_monitor. An existing
    login keeps its password unless `renew`; returns whether the one given is its now.
    """
    own = {g[0] for g in _stored_matrix(connection) if g[3] == "own_tenants"} - {BROKER}
    if role not in own:
        raise TallyhouseError(
            f"{role} does not see the rows of single tenants; those roles are {', '.join(sorted(own))}."
        )
    _refuse_reserved(connection, login)
    with connection.transaction():
        _refuse_unknown_tenant(connection, tenant_id)
        _refuse_if_bound(connection, login, "reader_logins")
        is_given = _make_bound_login(connection, login, role, password, renew=renew)
        connection.execute(
            "insert into governance.tenant_logins (login_name, tenant_id) values (%s, %s) "
            "on conflict do nothing",
            [login, tenant_id],
        )
    return is_given


def bind_reader(
    connection: Connection,
    login: str,
    tenant_id: UUID,
    reader_id: UUID,
    password: str,
    *,
    renew: bool = False,
    role: str = READER,
) -> bool:
    """A login that sees one person's own rows in this tenant, and nothing else: of a reader those of the last
    30 days; with the role of contributors those of a contributor, and of the projects it works on.

    An existing login keeps its password unless `renew`; returns whether the one given is its now.
    """
    _refuse_reserved(connection, login)
    with connection.transaction():
        _refuse_unknown_tenant(connection, tenant_id)
        _refuse_if_bound(connection, login, "tenant_logins")
        is_given = _make_bound_login(connection, login, role, password, renew=renew)
        connection.execute(
            "insert into governance.reader_logins (login_name, tenant_id, reader_id) "
            "values (%s, %s, %s) on conflict do nothing",
            [login, tenant_id, reader_id],
        )
    return is_given


def _make_bound_login(
    connection: Connection, login: str, role: str, password: str, *, renew: bool
) -> bool:
    """A login of this role, unless it sees more for another reason."""
    found = connection.execute(
        "select rolsuper or rolbypassrls from pg_roles where rolname = %s", [login]
    ).fetchone()
    if found is not None:
        _refuse_unless_plain(connection, login, is_exempt=found[0])
    is_given = _make_login(connection, login, password, renew=renew)
    connection.execute(
        sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(login))
    )
    return is_given


def _refuse_if_bound(connection: Connection, login: str, bindings: str) -> None:
    """A login is a tenant's or a reader's: as both, it would see the tenant's rows as well."""
    found = connection.execute(
        sql.SQL(
            "select 1 from {} where login_oid = to_regrole(quote_ident(%s))::oid limit 1"
        ).format(sql.Identifier("governance", bindings)),
        [login],
    )
    if found.fetchone() is not None:
        who = "a tenant's" if bindings == "tenant_logins" else "a reader's"
        raise TallyhouseError(
            f"{login} is {who} login already and would see those rows, too. Use another name."
        )


def _refuse_unknown_tenant(connection: Connection, tenant_id: UUID) -> None:
    """No login for a tenant that the warehouse does not know: a typing error would show nothing."""
    row = connection.execute("select to_regclass('core.dim_tenant')").fetchone()
    if row is None or row[0] is None:
        raise TallyhouseError("No tenant is known yet. `tallyhouse run` builds the warehouse.")
    found = connection.execute("select 1 from core.dim_tenant where tenant_id = %s", [tenant_id])
    if found.fetchone() is None:
        raise TallyhouseError(f"No tenant is {tenant_id}; core.dim_tenant lists them all.")


def join_role(
    connection: Connection, login: str, role: str, password: str, *, renew: bool = False
) -> bool:
    """A login that reads as a group role of the matrix; tenants' own role has `bind_login`.

    An existing login keeps its password unless `renew`; returns whether the one given is its now.
    """
    known = {grant[0] for grant in _stored_matrix(connection)} - {
        TENANT_READER,
        READER,
        CONTRIBUTOR,
    }
    if role not in known:
        raise TallyhouseError(
            f"{role} is no group role of the role matrix; those are {', '.join(sorted(known))}."
        )
    _refuse_reserved(connection, login)
    bound = connection.execute(
        "select 1 from (select login_oid from governance.tenant_logins union all "
        "select login_oid from governance.reader_logins) as bound where login_oid = "
        "(select oid from pg_roles where rolname = %s) limit 1",
        [login],
    )
    if bound.fetchone() is not None:
        raise TallyhouseError(
            f"{login} is bound to a tenant; {role} could show it other tenants' rows. Use another name."
        )
    with connection.transaction():
        is_given = _make_login(connection, login, password, renew=renew)
        connection.execute(
            sql.SQL("grant {} to {}").format(sql.Identifier(role), sql.Identifier(login))
        )
    return is_given


def read_matrix(csv_path: Path) -> list[tuple[str, str, str, str]]:
    """The rows of the matrix as (role, schema, relation, scope of rows)."""
    with csv_path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise TallyhouseError(f"{csv_path} has no column {missing[0]}; every row must fill it.")
        rows = [tuple((row[name] or "").strip() for name in COLUMNS) for row in reader]
    for number, row in enumerate(rows, start=2):
        if not all(row) or row[3] not in SCOPES or (row[2] == "*" and row[3] in OF_ONE):
            raise TallyhouseError(
                f"Line {number} of {csv_path} must fill {', '.join(COLUMNS)}, "
                f"row_scope with one of {', '.join(SCOPES)}; {' and '.join(OF_ONE)} name their relation."
            )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def create_role(connection: Connection, name: str, source: str) -> None:
    """A role of the role matrix, unless it exists; `source` is the file that names it. Raises TallyhouseError."""
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
            f"The role {name} of {source} does not exist and this login may not create "
            "it. Let an administrator create it, or give the login CREATEROLE."
        ) from error


def _refuse_reserved(connection: Connection, login: str) -> None:
    """No login under the name of a role that others are members of: what it may see, they would see."""
    groups = {grant[0] for grant in _stored_matrix(connection)}
    if login in {*groups, TENANT_READER, READER, CONTRIBUTOR, BROKER}:
        raise TallyhouseError(
            f"{login} is a role that logins are members of, and no login. Use another name."
        )
    is_legible = login.strip() == login != "" and len(login.encode()) <= NAME_BYTES
    if not is_legible or login.startswith("pg_") or login in ("public", "none"):
        raise TallyhouseError(
            f"{login!r} cannot be a login's name: take 1 to {NAME_BYTES} characters without blanks at the ends; "
            "the server keeps `public`, `none` and what begins with `pg_` to itself."
        )


def _make_login(connection: Connection, login: str, password: str, *, renew: bool) -> bool:
    """Create the login, or with `renew` give it this password; whether the password is its now.

    It never becomes anything that outranks row security.
    """
    existing = connection.execute(
        "select rolsuper, rolcanlogin, rolpassword is not null from pg_authid where rolname = %s"
        if is_superuser(connection)
        else "select rolsuper, rolcanlogin, true from pg_roles where rolname = %s",
        [login],
    ).fetchone()
    if existing is not None and existing[0]:
        raise TallyhouseError(f"{login} is an administrator's login; use another name.")
    name = sql.Identifier(login)
    plain = sql.SQL("login nosuperuser nobypassrls nocreatedb nocreaterole")
    is_given = renew or existing is None or not all(existing[1:])
    connection.execute(
        sql.SQL("{} role {} {} {}").format(
            sql.SQL("create" if existing is None else "alter"),
            name,
            plain,
            sql.SQL("password {}").format(sql.Literal(password)) if is_given else sql.SQL(""),
        )
    )
    if existing is None:
        connection.execute(
            sql.SQL("alter role {} connection limit {}").format(
                name, sql.Literal(LOGIN_CONNECTIONS)
            )
        )
        for setting, value in LOGIN_SETTINGS.items():
            if setting == "temp_file_limit" and not is_superuser(connection):
                continue  # an administrator's to set
            connection.execute(
                sql.SQL("alter role {} set {} = {}").format(
                    name, sql.Identifier(setting), sql.Literal(value)
                )
            )
    return is_given


def is_superuser(connection: Connection) -> bool:
    """Whether this login is an administrator's of the server."""
    row = connection.execute(
        "select rolsuper from pg_roles where rolname = current_user"
    ).fetchone()
    return bool(row and row[0])


def _close_to_the_public(connection: Connection) -> None:
    """Take from every reader what could stop others; says what a plain owner may not take."""
    owner = sql.SQL("current_user")
    row = connection.execute("select current_database()").fetchone()
    database = sql.Identifier(row[0] if row else "")
    for form in ("grant temporary on database {} to {}", "revoke temporary on database {} from {}"):
        whom = owner if form.startswith("grant") else sql.SQL("public")
        connection.execute(sql.SQL(form).format(database, whom))
    open_to_all = connection.execute(
        "select oid::regprocedure::text from pg_proc "
        "where pronamespace = 'pg_catalog'::regnamespace and proname like any (%s) "
        "and has_function_privilege('public', oid, 'execute')",
        [list(KEPT_FROM_PUBLIC)],
    ).fetchall()
    if not open_to_all:
        return
    if not is_superuser(connection):
        log.warning(
            "Readers can take advisory locks and make large objects in this database, since only an "
            "administrator can forbid it; see docs/row_security.md."
        )
        return
    for (function,) in open_to_all:
        connection.execute(f"revoke execute on function {function} from public".encode())


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

"""Who is let in to what, held against what stood at the last look: every difference is an entry of the audit log.

So a grant is entered whoever made it, with our commands or by hand, at the time it was noticed. Belongs here: what
counts as standing, the comparison. Does not belong here: making grants (`tallyhouse.database.roles`).
"""

import getpass
from datetime import UTC, datetime
from typing import Any

import psycopg

from governance.audit_log import Act, record
from tallyhouse.database import Warehouse

Connection = psycopg.Connection[Any]

DDL = """
create table if not exists governance.known_standing (
    standing text primary key
);
"""
# one sentence per thing that lets somebody see more
STANDING = """
    select format('role %s reads %s.%s: %s', role_name, schema_name, relation_name, row_scope)
    from governance.role_grants
    where row_scope <> 'nothing'
    union all
    select format('login %s is a member of %s', member.rolname, role.rolname)
    from pg_auth_members as m
    inner join pg_roles as role on m.roleid = role.oid
    inner join pg_roles as member on m.member = member.oid
    where role.rolname in (select role_name::text from governance.role_grants)
    union all
    select format('login %s sees the tenant %s', login.rolname, bound.tenant_id)
    from governance.tenant_logins as bound inner join pg_roles as login on bound.login_oid = login.oid
    union all
    select format(
        'login %s sees the rows of one person (%s) of the tenant %s',
        login.rolname, left(md5(bound.reader_id::text), 8), bound.tenant_id
    ) -- not the person's id: this log outlives an erasure
    from governance.reader_logins as bound inner join pg_roles as login on bound.login_oid = login.oid
    union all
    select format('login %s is above row security', rolname)
    from pg_roles
    where (rolsuper or rolbypassrls) and rolcanlogin
    union all
    select format('login %s may %s %s.%s', login.rolname, lower(given.privilege_type), n.nspname, c.relname)
    from pg_class as c
    inner join pg_namespace as n on c.relnamespace = n.oid
    cross join lateral aclexplode(c.relacl) as given
    inner join pg_roles as login on given.grantee = login.oid
    where n.nspname !~ '^(pg_|information_schema$)' and given.grantee <> c.relowner
        and login.rolname not in (select role_name::text from governance.role_grants)
"""


def apply(connection: Connection) -> None:
    """Create what is missing."""
    connection.execute(DDL)


def note(warehouse: Warehouse, *, ours: bool = False) -> int:
    """Enter what was granted or taken since the last look, and remember it; returns how many entries.

    `ours` says that the command that runs did it; else somebody did, at some time since then.
    """
    with warehouse.connect() as connection:
        connection.execute("select pg_advisory_xact_lock(hashtext('governance.known_standing'))")
        now = {row[0] for row in connection.execute(STANDING)}
        known = {
            row[0] for row in connection.execute("select standing from governance.known_standing")
        }
        if now == known:
            return 0
        actor = getpass.getuser() if ours else "unknown"
        moment = datetime.now(UTC)
        acts = [
            Act(f"{action} {moment.isoformat()} {standing}", moment, actor, action, standing)
            for action, changed in (("revoke", known - now), ("grant", now - known))
            for standing in sorted(changed)
        ]
        entered = record(warehouse, acts)
        connection.execute(
            "delete from governance.known_standing where standing <> all (%s)", [sorted(now)]
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "insert into governance.known_standing values (%s) on conflict do nothing",
                [(standing,) for standing in sorted(now - known)],
            )
    return entered

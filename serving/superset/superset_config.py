"""Superset before this warehouse: people come in through an OIDC provider and read as the login of their group.

Superset reads this file itself (`SUPERSET_CONFIG_PATH`), in an environment of its own that has nothing of this project.
What differs between installations stands in the file that `TALLYHOUSE_SUPERSET_FILE` names (docs/superset.md).
Belongs here: how people come in, and as which login of the database each of them reads. Does not belong here: what a
login may read, which the database decides.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from flask_appbuilder.security.manager import AUTH_OAUTH
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool
from superset.security import SupersetSecurityManager

log = logging.getLogger("tallyhouse")

# the user name in the address of a database that each group has a login for
OURS = "login_of_the_group"


def read_settings(path: Path) -> dict[str, Any]:
    """Return what the file says; it holds passwords, so one that others may read is refused."""
    if path.stat().st_mode & 0o077:
        raise SystemExit(f"{path} holds passwords and others may read it: chmod 600 {path}")
    settings: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return settings


def role_of(group: str) -> str:
    """Return the role that everybody of a group has, and nobody else."""
    return f"Tallyhouse {group}"


SETTINGS = read_settings(Path(os.environ["TALLYHOUSE_SUPERSET_FILE"]))
OIDC, GROUPS = SETTINGS["oidc"], SETTINGS["groups"]
LOGINS: dict[str, URL] = {
    role_of(name): make_url(group["login"]) for name, group in GROUPS.items() if "login" in group
}

SECRET_KEY = SETTINGS["secret_key"]
SQLALCHEMY_DATABASE_URI = SETTINGS["metadata"]
# the proxy before it ends TLS: its addresses are https, and so are the cookies
ENABLE_PROXY_FIX = SESSION_COOKIE_SECURE = bool(SETTINGS.get("behind_proxy", False))


# Who comes in, and with which roles: what the provider says, anew at each login.


def groups_of(claims: Mapping[str, Any]) -> list[str]:
    """Return the groups of a person that are known here."""
    said = claims.get(OIDC.get("groups_claim", "groups"), [])
    said = [said] if isinstance(said, str) else said
    return [name for name in said if name in GROUPS]


class OidcSecurityManager(SupersetSecurityManager):
    """Lets in whom the provider knows and who is of a group that is known here."""

    def oauth_user_info(self, provider: str, response: Any = None) -> dict[str, Any]:
        """Return who came, by the claims of the token and of the provider's user info."""
        remote = self.oauth_remotes[provider]
        signed = response.get("userinfo", {})  # of the ID token
        claims = {**signed, **remote.userinfo(token=response)}
        if signed and signed["sub"] != claims["sub"]:
            log.warning("The provider's user info is of another person than its token.")
            return {}
        groups = groups_of(claims)
        if not groups:
            log.warning("%s is of no group that has a place here and is not let in.", claims["sub"])
            return {}
        for name in groups:
            self._open_databases(self.add_role(role_of(name)))
        return {
            "username": claims["sub"],  # all others may change, or become somebody else's
            "email": claims.get("email", ""),
            "first_name": claims.get("given_name", ""),
            "last_name": claims.get("family_name", ""),
            "role_keys": groups,
        }

    def _open_databases(self, role: Any) -> None:
        """Let a group choose the warehouse; what it sees there is its login's."""
        from superset import db
        from superset.models.core import Database

        for database in db.session.query(Database):
            if make_url(database.sqlalchemy_uri).username == OURS:
                access = self.add_permission_view_menu("database_access", database.perm)
                self.add_permission_role(role, access)


AUTH_TYPE = AUTH_OAUTH
AUTH_USERNAME_CI = False  # `sub` tells people apart by its case, too
CUSTOM_SECURITY_MANAGER = OidcSecurityManager
OAUTH_PROVIDERS = [
    {
        "name": "oidc",
        "icon": "fa-key",
        "token_key": "access_token",
        "remote_app": {
            "client_id": OIDC["client_id"],
            "client_secret": OIDC["client_secret"],
            "server_metadata_url": f"{OIDC['issuer'].rstrip('/')}/.well-known/openid-configuration",
            "client_kwargs": {"scope": OIDC.get("scope", "openid profile email")},
        },
    }
]
AUTH_USER_REGISTRATION = True
AUTH_USER_REGISTRATION_ROLE = "Public"
AUTH_ROLES_SYNC_AT_LOGIN = True
AUTH_ROLES_MAPPING = {name: [*group["roles"], role_of(name)] for name, group in GROUPS.items()}


# As whom a person reads: the login decides, and no SQL can change that.


def login_of(roles: Iterable[str]) -> URL:
    """Return the login of the one group among these roles that has one."""
    found = sorted({name for name in roles if name in LOGINS})
    if len(found) != 1:
        why = f"of several groups with one: {', '.join(found)}" if found else "of no group with one"
        raise PermissionError(f"There is no login to the warehouse for somebody who is {why}.")
    return LOGINS[found[0]]


def DB_CONNECTION_MUTATOR(
    uri: URL, params: dict[str, Any], username: str | None, security_manager: Any, source: Any
) -> tuple[URL, dict[str, Any]]:
    """Connect whoever asks as the login of their group; without one there is no connection."""
    if uri.username != OURS:
        return uri, params
    user = security_manager.find_user(username=username) if username else None
    login = login_of(role.name for role in (user.roles if user else ()))
    connect = {**params.get("connect_args", {}), "application_name": f"superset {username}"[:63]}
    address = login.set(drivername=uri.drivername)
    return address, {**params, "connect_args": connect, "poolclass": NullPool}


# What is offered to choose from: what the login may read. Postgres names all relations to everybody.

READABLE = """
    select table_schema, table_name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')
"""


def readable(inspector: Any) -> set[tuple[str, str]]:
    """Return schema and name of every relation that the login of this connection may read."""
    with inspector.engine.connect() as connection:
        return {(schema, name) for schema, name in connection.execute(text(READABLE))}


def FLASK_APP_MUTATOR(app: Any) -> None:
    """Have Superset list what may be read, of every Postgres database."""
    from superset.db_engine_specs.postgres import PostgresEngineSpec as Postgres

    tables, views = Postgres.get_table_names, Postgres.get_view_names

    def schemas_of(cls: Any, inspector: Any) -> set[str]:
        return {schema for schema, _ in readable(inspector)}

    def tables_of(cls: Any, database: Any, inspector: Any, schema: str | None) -> set[str]:
        return tables(database, inspector, schema) & _names(inspector, schema)

    def views_of(cls: Any, database: Any, inspector: Any, schema: str | None) -> set[str]:
        return views(database, inspector, schema) & _names(inspector, schema)

    Postgres.get_schema_names = classmethod(schemas_of)
    Postgres.get_table_names = classmethod(tables_of)
    Postgres.get_view_names = classmethod(views_of)


def _names(inspector: Any, schema: str | None) -> set[str]:
    return {name for found, name in readable(inspector) if schema in (None, found)}


# What one person was shown is not shown to another out of a cache. Charts drawn the old way (`explore_json`) take no
# heed of the flag in Superset 6.1, so nothing of the warehouse is cached at all.
FEATURE_FLAGS = {"CACHE_QUERY_BY_USER": True}
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}

"""Superset's configuration file: who is let in, with which roles, and as which login of the database they read.

Superset is not installed here: a stand-in takes the place of the two modules of it that the file imports.
"""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from tallyhouse.settings import PROJECT_ROOT

FILE = PROJECT_ROOT / "serving" / "superset" / "superset_config.py"
SETTINGS: dict[str, Any] = {
    "secret_key": "not for others",
    "metadata": "sqlite:////var/lib/superset/superset.db",
    "oidc": {
        "issuer": "https://id.example.com/",
        "client_id": "superset",
        "client_secret": "s",
    },
    "groups": {
        "acme": {"roles": ["Gamma"], "login": "postgresql://acme_reports:a%40b@db.acme:6543/house"},
        "bolt": {"roles": ["Gamma"], "login": "postgresql://bolt:b@db.acme:6543/house"},
        "owners": {"roles": ["Admin"]},
    },
}
OURS = make_url("postgresql+psycopg2://login_of_the_group@tallyhouse/tallyhouse")


class Manager:
    """Superset's security manager, as far as the file uses it."""

    def __init__(self, userinfo: dict[str, Any] | None = None) -> None:
        self.oauth_remotes = {"oidc": SimpleNamespace(userinfo=lambda token: userinfo)}
        self.made: list[str] = []
        self.given: list[tuple[str, str, str]] = []
        self.users: dict[str, list[str]] = {}

    def add_role(self, name: str) -> str:
        self.made.append(name)
        return name

    def add_permission_view_menu(self, permission: str, of: str) -> tuple[str, str]:
        return permission, of

    def add_permission_role(self, role: str, permission: tuple[str, str]) -> None:
        self.given.append((role, *permission))

    def find_user(self, username: str) -> Any:
        roles = self.users.get(username)
        return roles and SimpleNamespace(roles=[SimpleNamespace(name=name) for name in roles])


Load = Callable[..., Any]


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """The file as Superset reads it, with settings of a file that is the owner's alone."""

    def read(settings: dict[str, Any] = SETTINGS, mode: int = 0o600) -> Any:
        file = tmp_path / "superset.yml"
        file.write_text(yaml.safe_dump(settings), encoding="utf-8")
        file.chmod(mode)
        monkeypatch.setenv("TALLYHOUSE_SUPERSET_FILE", os.fspath(file))
        databases = [
            SimpleNamespace(sqlalchemy_uri=str(OURS), perm="[Tallyhouse].(id:1)"),
            SimpleNamespace(sqlalchemy_uri="postgresql://else@where/db", perm="[Other].(id:2)"),
        ]
        stand_ins: dict[str, dict[str, Any]] = {
            "superset": {"db": SimpleNamespace(session=SimpleNamespace(query=lambda _: databases))},
            "superset.models": {},
            "superset.models.core": {"Database": object},
            "superset.security": {"SupersetSecurityManager": Manager},
            "flask_appbuilder": {},
            "flask_appbuilder.security": {},
            "flask_appbuilder.security.manager": {"AUTH_OAUTH": 4},
        }
        for name, content in stand_ins.items():
            module = ModuleType(name)
            vars(module).update(content)
            monkeypatch.setitem(sys.modules, name, module)
        spec = importlib.util.spec_from_file_location("superset_config", FILE)
        assert spec
        assert spec.loader
        config = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(config)
        return config

    return read


def connected(config: Any, username: str | None, roles: dict[str, list[str]]) -> tuple[Any, Any]:
    manager = Manager()
    manager.users = roles
    return config.DB_CONNECTION_MUTATOR(OURS, {"poolclass": None}, username, manager, None)


def test_each_person_connects_as_the_login_of_their_group(load: Load) -> None:
    config = load()
    roles = {"u1": ["Gamma", "Tallyhouse acme"], "u2": ["Gamma", "Tallyhouse bolt"]}
    url, params = connected(config, "u1", roles)
    assert url.render_as_string(hide_password=False) == (
        "postgresql+psycopg2://acme_reports:a%40b@db.acme:6543/house"
    )
    assert params["poolclass"] is NullPool, "no connection goes from one person to another"
    assert params["connect_args"] == {"application_name": "superset u1"}
    assert connected(config, "u2", roles)[0].username == "bolt"


@pytest.mark.parametrize(
    ("username", "roles"),
    [
        (None, []),  # a task without a person
        ("nobody", []),
        ("u", ["Gamma"]),
        ("u", ["Admin", "Tallyhouse owners"]),  # a group without a login
        ("u", ["Tallyhouse acme", "Tallyhouse bolt"]),  # nobody says which
    ],
)
def test_without_one_login_there_is_no_connection(
    username: str | None, roles: list[str], load: Load
) -> None:
    with pytest.raises(PermissionError, match="no login to the warehouse"):
        connected(load(), username, {"u": roles})


def test_other_databases_are_left_alone(load: Load) -> None:
    other = make_url("postgresql://somebody:else@elsewhere/db")
    given: dict[str, Any] = {"connect_args": {"sslmode": "require"}}
    assert load().DB_CONNECTION_MUTATOR(other, given, "u1", Manager(), None) == (other, given)


def test_who_comes_in_has_the_roles_of_their_groups(load: Load) -> None:
    config = load()
    manager = config.OidcSecurityManager(
        {"sub": "7f3a", "email": "ada@acme.example", "given_name": "Ada", "groups": ["acme", "x"]}
    )
    person = manager.oauth_user_info("oidc", {"userinfo": {"sub": "7f3a", "groups": []}})
    assert person == {
        "username": "7f3a",
        "email": "ada@acme.example",
        "first_name": "Ada",
        "last_name": "",
        "role_keys": ["acme"],
    }
    assert manager.made == ["Tallyhouse acme"]
    assert manager.given == [("Tallyhouse acme", "database_access", "[Tallyhouse].(id:1)")]
    assert config.AUTH_ROLES_MAPPING["acme"] == ["Gamma", "Tallyhouse acme"]
    assert config.AUTH_ROLES_MAPPING["owners"] == ["Admin", "Tallyhouse owners"]
    assert config.AUTH_ROLES_SYNC_AT_LOGIN, (
        "whoever left a group loses its rights at the next login"
    )


@pytest.mark.parametrize("groups", [[], ["strangers"], "strangers", None])
def test_who_is_of_no_known_group_is_not_let_in(groups: Any, load: Load) -> None:
    claims = {"sub": "7f3a"} if groups is None else {"sub": "7f3a", "groups": groups}
    assert load().OidcSecurityManager(claims).oauth_user_info("oidc", {}) == {}


def test_a_user_info_of_somebody_else_lets_nobody_in(load: Load) -> None:
    manager = load().OidcSecurityManager({"sub": "other", "groups": ["acme"]})
    assert manager.oauth_user_info("oidc", {"userinfo": {"sub": "7f3a"}}) == {}


def test_the_claim_may_have_another_name_and_be_a_single_word(load: Load) -> None:
    settings = {**SETTINGS, "oidc": {**SETTINGS["oidc"], "groups_claim": "role"}}
    manager = load(settings).OidcSecurityManager({"sub": "7f3a", "role": "bolt", "groups": "acme"})
    assert manager.oauth_user_info("oidc", {})["role_keys"] == ["bolt"]


def test_the_provider_is_found_by_its_issuer(load: Load) -> None:
    (provider,) = load().OAUTH_PROVIDERS
    assert provider["remote_app"]["server_metadata_url"] == (
        "https://id.example.com/.well-known/openid-configuration"
    )


def test_what_one_was_shown_is_not_cached_for_another(load: Load) -> None:
    config = load()
    assert config.FEATURE_FLAGS["CACHE_QUERY_BY_USER"] is True
    for kind in ("CACHE_CONFIG", "DATA_CACHE_CONFIG"):
        assert getattr(config, kind) == {"CACHE_TYPE": "NullCache"}


def test_a_file_that_others_may_read_is_refused(load: Load) -> None:
    with pytest.raises(SystemExit, match="chmod 600"):
        load(mode=0o640)


def test_people_whose_names_differ_by_case_are_two(load: Load) -> None:
    assert load().AUTH_USERNAME_CI is False


@pytest.mark.parametrize("said", [{}, {"behind_proxy": False}, {"behind_proxy": True}])
def test_addresses_and_cookies_are_https_behind_a_proxy(load: Load, said: dict[str, bool]) -> None:
    config = load(SETTINGS | said)
    assert config.ENABLE_PROXY_FIX is said.get("behind_proxy", False)
    assert config.SESSION_COOKIE_SECURE is said.get("behind_proxy", False)

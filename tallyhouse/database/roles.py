"""The group roles of the access matrix, as roles of the database.

The matrix is data: one row per role and folder of marts. Roles belong to the whole server and are
never dropped here; what they may read is granted by dbt, folder by folder, when a table is built.

Belongs here: creating the roles without login, without rights of their own. Does not belong here:
grants and row security (`macros/governance`).
"""

import csv
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tallyhouse.errors import TallyhouseError

COLUMN = "role_name"


def apply(connection: psycopg.Connection[Any], csv_path: Path) -> list[str]:
    """Create the roles that are missing; returns all roles of the matrix."""
    names = read_roles(csv_path)
    for name in names:
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
            continue  # roles are the server's: another database's preparation was quicker
        except psycopg.errors.InsufficientPrivilege as error:
            raise TallyhouseError(
                f"The role {name} of {csv_path.name} does not exist and this login may not create "
                "it. Let an administrator create it, or give the login CREATEROLE."
            ) from error
    return names


def read_roles(csv_path: Path) -> list[str]:
    """The distinct role names of the matrix, in the order of the file."""
    with csv_path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        if COLUMN not in (reader.fieldnames or []):
            raise TallyhouseError(f"{csv_path} has no column {COLUMN}; every row must name a role.")
        return list(dict.fromkeys(row[COLUMN].strip() for row in reader if row[COLUMN].strip()))

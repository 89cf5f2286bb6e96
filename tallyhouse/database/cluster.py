"""A new Postgres cluster, whole or not at all.

Belongs here: initdb, the password, what goes to a server's environment. Does not belong here: a
server that runs (`embedded`).
"""

import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

from tallyhouse.closed_files import replace_closed
from tallyhouse.database import configuration
from tallyhouse.database.account import Account, reach
from tallyhouse.errors import TallyhouseError

ROLE = "tallyhouse"


def make_cluster(folder: Path, data: Path, account: Account, install: Path) -> None:
    """Made aside and renamed: an interrupted first start leaves nothing half done behind."""
    draft = folder / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account.own(draft)
    password = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="tallyhouse-") as scratch:
        account.own(Path(scratch))
        secret = Path(scratch) / "password"
        replace_closed(secret, password)
        account.own(secret)
        options = configuration.initdb_options(ROLE, secret)
        with reach(draft, account) as (path, descriptors):
            answer = subprocess.run(
                [str(install / "bin" / "initdb"), "-D", path, *options],
                cwd="/",
                env=server_environment(),
                capture_output=True,
                text=True,
                check=False,
                pass_fds=descriptors,
                **account.popen_options,
            )
    if answer.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        raise TallyhouseError(
            f"The database cannot be created in {folder}: "
            f"{last_words(answer.stderr or answer.stdout)}"
        )
    configuration.write(draft)
    replace_closed(folder / "password", password)
    draft.rename(data)


def server_environment() -> dict[str, str]:
    """No PG* variable of the caller may steer the server."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def last_words(text: str) -> str:
    """The line of a program's output that says why it gave up."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "FATAL" in line or "error:" in line or "PANIC" in line]
    return (told or lines or ["it left no message"])[-1]

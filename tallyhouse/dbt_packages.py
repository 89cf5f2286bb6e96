"""Where dbt's packages come from: the dbt hub where it can be reached, else the in-tree stand-in.

`dbt deps` by itself hangs for minutes without a network, so the hub is probed first, briefly.

Belongs here: putting `dbt_packages/` in place. Does not belong here: what is in the packages.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

from tallyhouse.errors import TallyhouseError

VARIABLE = "TALLYHOUSE_DBT_UTILS"
PROBE_SECONDS = 3
DOWNLOAD_SECONDS = 60


def provide_packages(root: Path) -> str:
    """Make sure `dbt_packages/dbt_utils` is there; returns `hub` or `standin`."""
    wanted = os.environ.get(VARIABLE, "").strip().lower()
    if wanted not in ("", "hub", "standin"):
        raise TallyhouseError(f"{VARIABLE} is '{wanted}'. Set it to hub or standin, or unset it.")
    present = _present(root)
    if present and wanted in ("", present):
        return present
    if wanted != "standin" and (_hub_answers() or wanted == "hub"):
        if _download(root):
            return "hub"
        if wanted == "hub":
            raise TallyhouseError(
                f"{VARIABLE}=hub, but the dbt hub cannot be reached. Unset it, or set it to "
                "standin, to build with the in-tree package."
            )
    _link_standin(root)
    return "standin"


def _present(root: Path) -> str | None:
    place = root / "dbt_packages" / "dbt_utils"
    if not (place / "dbt_project.yml").exists():
        return None
    return "standin" if place.is_symlink() else "hub"


def _hub_answers() -> bool:
    from dbt.clients.registry import DEFAULT_REGISTRY_BASE_URL

    base = os.environ.get("DBT_PACKAGE_HUB_URL") or str(DEFAULT_REGISTRY_BASE_URL)
    try:
        with urllib.request.urlopen(base.rstrip("/") + "/api/v1/index.json", timeout=PROBE_SECONDS):
            return True
    except (OSError, ValueError):
        return False


def _download(root: Path) -> bool:
    """`dbt deps` in a process of its own, which can be ended when it hangs."""
    _clear(root)
    environment = {**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "deps"]
    try:
        subprocess.run(
            [*command, "--project-dir", str(root), "--profiles-dir", str(root)],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=DOWNLOAD_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return False
    return _present(root) == "hub"


def _link_standin(root: Path) -> None:
    _clear(root)
    folder = root / "dbt_packages"
    folder.mkdir(exist_ok=True)
    with contextlib.suppress(FileExistsError):  # another process was quicker
        (folder / "dbt_utils").symlink_to(Path("..") / "packages" / "dbt_utils")


def _clear(root: Path) -> None:
    place = root / "dbt_packages" / "dbt_utils"
    if place.is_symlink():
        place.unlink(missing_ok=True)
    else:
        shutil.rmtree(place, ignore_errors=True)

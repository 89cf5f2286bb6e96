"""The guarantees of the embedded server, each against a real one."""

import fcntl
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallyhouse.database import account, embedded, find_warehouse, open_warehouse
from tallyhouse.database.embedded import EmbeddedServer
from tallyhouse.database.process import is_alive
from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A home in pytest's 0700 folder, whose server is stopped afterwards."""
    settings = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path / "home")})
    yield settings
    EmbeddedServer(settings.home).stop()


def test_starts_in_a_folder_that_others_may_not_enter(settings: Settings) -> None:
    settings.home.mkdir(mode=0o700)
    warehouse = open_warehouse(settings)
    with warehouse.connect() as connection:
        row = connection.execute(
            "select current_setting('synchronous_commit'), current_setting('fsync'),"
            " current_setting('TimeZone')"
        ).fetchone()
    assert row == ("on", "on", "UTC")
    assert warehouse.server is not None
    address = warehouse.server.running()
    assert address is not None
    assert Path(f"/proc/{address.pid}").stat().st_uid != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another account")
def test_binaries_in_a_closed_folder_are_copied_to_an_open_one(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the clone, and so the environment, lies in root's own 0700 home."""
    package = account._shipped().parent
    closed = tmp_path / "environment"
    closed.mkdir(mode=0o700)
    for folder in (package, package.with_name(package.name + ".libs")):
        shutil.copytree(folder, closed / folder.name)
    shelf = Path(tempfile.mkdtemp(prefix="tallyhouse-shelf-"))
    shelf.chmod(0o755)
    try:
        monkeypatch.setattr(account, "_shipped", lambda: closed / package.name / "pginstall")
        monkeypatch.setattr(account, "SHELVES", (str(shelf),))
        with open_warehouse(settings).connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        EmbeddedServer(settings.home).stop()
        assert list(shelf.rglob("initdb"))
    finally:
        shutil.rmtree(shelf)


def test_password_is_needed_and_kept_secret(settings: Settings) -> None:
    warehouse = open_warehouse(settings)
    for name in ("password", "server.json"):
        mode = stat.S_IMODE((settings.home / "postgres" / name).stat().st_mode)
        assert mode == 0o600
    with pytest.raises(TallyhouseError, match="cannot be reached"):
        warehouse.connect(password="guess")
    assert warehouse.parameters["password"] not in warehouse.label


def test_the_socket_answers_too(settings: Settings) -> None:
    warehouse = open_warehouse(settings)
    folder = json.loads((settings.home / "postgres" / "server.json").read_text())["socket_dir"]
    with warehouse.connect(host=folder) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_recovers_after_kill_9_with_what_was_committed(settings: Settings) -> None:
    warehouse = open_warehouse(settings)
    with warehouse.connect() as connection:
        connection.execute("create table kept as select 42 as answer")
    pid = _pid(settings)
    os.kill(pid, signal.SIGKILL)
    with open_warehouse(settings).connect() as connection:
        assert connection.execute("select answer from kept").fetchone() == (42,)
    assert _pid(settings) != pid


def test_a_left_over_pid_of_another_process_is_no_obstacle(settings: Settings) -> None:
    open_warehouse(settings).stop()
    zombie = subprocess.Popen([sys.executable, "-c", ""])
    time.sleep(0.3)  # it has ended, and nobody has waited for it
    lines = ["", str(settings.home / "postgres" / "data"), "1", "1", "", "", "", "ready"]
    for pid in (zombie.pid, os.getpid(), 2**22 - 3):
        lines[0] = str(pid)
        (settings.home / "postgres" / "data" / "postmaster.pid").write_text("\n".join(lines))
        with open_warehouse(settings).connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)
        open_warehouse(settings).stop()
    assert not is_alive(zombie.pid)
    zombie.wait()


def test_two_starters_at_once_share_one_server(settings: Settings) -> None:
    code = (
        "from tallyhouse.settings import Settings\n"
        "from tallyhouse.database import open_warehouse\n"
        "print(open_warehouse(Settings.from_env()).url)"
    )
    environment = {**os.environ, "TALLYHOUSE_HOME": str(settings.home)}
    starters = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    answers = {starter.communicate()[0] for starter in starters}
    assert [starter.returncode for starter in starters] == [0, 0, 0]
    assert len(answers) == 1


def test_a_lock_that_somebody_holds_is_told_and_not_waited_for_for_ever(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("SILENT_SECONDS", "START_SECONDS", "STOP_SECONDS"):
        monkeypatch.setattr(embedded, name, 0.2)
    folder = settings.home / "postgres"
    folder.mkdir(parents=True)
    with (folder / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        held.write("4711")
        held.flush()
        with pytest.raises(TallyhouseError, match=r"Process 4711 has held .*lock for 0 seconds"):
            open_warehouse(settings)
        said = capsys.readouterr().err
        assert said.startswith("Process 4711 starts or stops the warehouse's server (lock ")


def test_a_taken_port_is_avoided(settings: Settings) -> None:
    warehouse = open_warehouse(settings)
    port = int(warehouse.parameters["port"])
    warehouse.stop()
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        assert int(open_warehouse(settings).parameters["port"]) != port


def test_another_server_on_the_remembered_port_is_not_trusted(
    settings: Settings, tmp_path: Path
) -> None:
    """A copied home names the port and the password of the first one's server."""
    first = open_warehouse(settings)
    assert first.server is not None
    copy = Settings.from_env({"TALLYHOUSE_HOME": str(tmp_path / "copy")})
    copy.home.mkdir()
    subprocess.run(["cp", "-a", settings.home / "postgres", copy.home], check=True)
    assert find_warehouse(copy) is None
    second = open_warehouse(copy)
    try:
        assert second.parameters["port"] != first.parameters["port"]
    finally:
        second.stop()
    assert find_warehouse(settings) is not None


def test_an_interrupted_first_start_is_made_again(settings: Settings) -> None:
    half = settings.home / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with open_warehouse(settings).connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_nothing_is_started_by_asking(settings: Settings) -> None:
    assert find_warehouse(settings) is None
    assert not settings.home.exists()


def test_a_server_named_by_url_that_is_not_there(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "TALLYHOUSE_HOME": str(tmp_path),
            "TALLYHOUSE_DATABASE_URL": "postgresql://someone:hidden@127.0.0.1:9/nowhere",
        }
    )
    with pytest.raises(TallyhouseError, match="TALLYHOUSE_DATABASE_URL") as caught:
        open_warehouse(settings)
    assert "hidden" not in str(caught.value)


def _pid(settings: Settings) -> int:
    text = (settings.home / "postgres" / "data" / "postmaster.pid").read_text()
    return int(text.split("\n", 1)[0])

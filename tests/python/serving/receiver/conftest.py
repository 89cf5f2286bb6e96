"""A running receiver on a free port of loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import yaml

from serving.receiver.credentials import add_key
from tallyhouse import key_file
from tallyhouse.storage import open_storage
from tallyhouse.storage.sealed import Opening
from tests.patience import PATIENCE

SECRETS = ("whsec_new", "whsec_old")
AUTHORIZATION = "Bearer of-the-project"


@dataclass
class Running:
    """A receiver process, where it listens and where it writes."""

    process: subprocess.Popen[bytes]
    url: str
    landing: Path
    home: Path
    key: str

    def lines(self, folder: str) -> list[bytes]:
        """Every line that lies under a landing folder."""
        opened = Opening(open_storage(str(self.landing)), lambda: [key_file.read(self.landing_key)])
        names = sorted(
            found.name for found in opened.files(folder) if found.name.endswith(".jsonl")
        )
        return [line for name in names for line in opened.open(name).read().splitlines()]

    @property
    def landing_key(self) -> Path:
        """With what landed files are sealed."""
        return self.home / "landing.key"

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Running]:
    """One receiver with credentials for an account, a project and a tenant."""
    started: list[Running] = []
    yield start(tmp_path, started.append)
    for running in started:
        running.kill()


def start(
    tmp_path: Path,
    register: Callable[[Running], None],
    bucket: str | None = None,
    options: Sequence[str] = (),
) -> Running:
    """A receiver that lands in a folder, or in a bucket that the environment leads to."""
    home, landing = tmp_path / "home", tmp_path / "landing"
    home.mkdir()
    landing.mkdir()
    file = home / "serving.yml"
    file.touch(0o600)
    credentials = {
        "stripe": {"acct_upcoach": list(SECRETS)},
        "revenuecat": {"upcoach": [AUTHORIZATION]},
    }
    file.write_text(yaml.safe_dump(credentials))
    key = add_key(file, "rostracore", "7")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "TALLYHOUSE_HOME": str(home),
        "TALLYHOUSE_LANDING": bucket or str(landing),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "serving", "--port", str(port), "--max-in-flight", "48", *options],
        env={**environment, "TALLYHOUSE_SERVING_FILE": ""},
        cwd=Path(__file__).parents[4],
    )
    running = Running(process, f"http://127.0.0.1:{port}", landing, home, key)
    register(running)
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        assert process.poll() is None, "the receiver did not start"
        try:
            httpx.get(running.url + "/health")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return running
    raise AssertionError("the receiver does not answer")

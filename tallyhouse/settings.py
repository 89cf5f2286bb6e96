"""Where things are and how they are reached: the environment, read once, as one frozen value.

Belongs here: every `TALLYHOUSE_*` variable with its default and its check. Does not belong here:
opening, creating or connecting to anything (but for the key of personal data, which is made on
first use because a warehouse must never run without one). `docs/settings.md` lists them all.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tallyhouse import key_file
from tallyhouse.closed_files import make_closed_folder
from tallyhouse.errors import TallyhouseError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PREFIX = "TALLYHOUSE_"
LANDING_NOTE = "landing_folder"  # in the home: the folder that its warehouse loads from


@dataclass(frozen=True)
class Settings:
    """All that the environment decides. `landing` and `lake` are local paths or `s3://` URLs.

    `is_landing_named`: a person said which folder it is, or it is the project's own home.
    """

    root: Path
    home: Path
    database_url: str | None
    landing: str
    lake: str
    pii_key_file: Path
    as_of: datetime | None
    contracts: tuple[Path, ...]
    reader_patience: float = 60.0  # seconds that a build waits for a reader's transaction
    longest_run: float = 6.0  # hours after which Dagster ends a run; 0 sets no limit
    is_landing_named: bool = True

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read the environment (or the mapping given); an empty variable counts as unset."""
        env = os.environ if environ is None else environ

        def read(name: str) -> str | None:
            return (env.get(PREFIX + name) or "").strip() or None

        home = _path(read("HOME"), PROJECT_ROOT / ".tallyhouse")
        extra = (read("CONTRACTS") or "").split(os.pathsep)
        as_of = read("AS_OF")
        url = _database_url(read("DATABASE_URL"))
        landing = read("LANDING") or _noted(home)
        return cls(
            root=PROJECT_ROOT,
            home=home,
            database_url=url,
            landing=_place(landing, PROJECT_ROOT / "landing"),
            is_landing_named=landing is not None or _is_own(home, PROJECT_ROOT),
            lake=_place(read("LAKE"), home / "lake"),
            pii_key_file=_path(
                read("PII_KEY_FILE"), _key_file(home, env, is_server=url is not None)
            ),
            as_of=parse_instant(as_of, PREFIX + "AS_OF") if as_of else None,
            contracts=tuple(_folder(part, PREFIX + "CONTRACTS") for part in extra if part.strip()),
            reader_patience=_number(
                read("READER_PATIENCE"), cls.reader_patience, "READER_PATIENCE", "seconds, as in 60"
            ),
            longest_run=_number(
                read("LONGEST_RUN"), cls.longest_run, "LONGEST_RUN", "hours, as in 6"
            ),
        )

    def with_options(self, *, landing: str | None = None, as_of: str | None = None) -> "Settings":
        """The same settings with what the command line said on top."""
        changed = self
        if landing:
            changed = replace(changed, landing=_place(landing, self.root), is_landing_named=True)
        if as_of:
            changed = replace(changed, as_of=parse_instant(as_of, "--as-of"))
        return changed

    @property
    def is_own_home(self) -> bool:
        """Whether the home is the project's own, not one that somebody chose."""
        return _is_own(self.home, self.root)

    @property
    def why_no_landing(self) -> str | None:
        """A sentence where nobody said what a home of somebody's own loads from: not what the project does."""
        if self.is_landing_named:
            return None
        return (
            f"Nobody said yet which landing folder the warehouse of {self.home} loads from"
            f" ({self.landing} is that of the project's own warehouse). Name it once, with"
            f" --landing DIR or {PREFIX}LANDING."
        )

    def pii_key(self) -> bytes:
        """The master key of all personal data tokens; made on first use."""
        return key_file.read_or_make(self.pii_key_file)

    def landing_key(self) -> bytes:
        """The key with which the receiver seals what it lands; made on first use, beside the other."""
        return key_file.read_or_make(self._landing_key_file)

    def landing_keys(self) -> list[bytes]:
        """The keys that landed files may be sealed with, the present one first; none where nothing was sealed."""
        place = self._landing_key_file
        return [key_file.read(path) for path in (place, *key_file.former(place)) if path.exists()]

    @property
    def has_landing_key(self) -> bool:
        """Whether the receiver sealed before, or somebody put its key here."""
        return self._landing_key_file.exists()

    @property
    def _landing_key_file(self) -> Path:
        return self.pii_key_file.with_name("landing.key")


def parse_instant(text: str, name: str) -> datetime:
    """An ISO date or time as an instant; without an offset it is UTC, a bare date its midnight."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise TallyhouseError(
            f"{name} is '{text}', which is not a date or time. Write 2026-10-29 or "
            "2026-10-29T00:00:00Z."
        ) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def make_folder(path: Path) -> None:
    """Create a folder with its parents, closed to other accounts, or say in a sentence why it cannot be."""
    try:
        make_closed_folder(path)
    except OSError as error:
        raise TallyhouseError(
            f"The folder {path} cannot be created ({error.strerror}). Make it writable or set "
            f"{PREFIX}HOME to a folder that is."
        ) from error


def _is_own(home: Path, root: Path) -> bool:
    return home.resolve() == (root / ".tallyhouse").resolve()


def _path(text: str | None, default: Path) -> Path:
    return Path(text).expanduser().absolute() if text else default


def _key_file(home: Path, env: Mapping[str, str], *, is_server: bool) -> Path:
    """Beside an embedded database; for a server outside of the home, unless a key lies there from before."""
    own = home / "pii.key"
    with contextlib.suppress(
        OSError, RuntimeError
    ):  # a folder that is not ours; an account without a home
        if is_server and not own.exists():
            stated = env.get("XDG_CONFIG_HOME")
            config = Path(stated) if stated else Path.home() / ".config"
            return config.absolute() / "tallyhouse" / own.name
    return own


def _place(text: str | None, default: Path) -> str:
    if text and "://" in text:
        return text
    return str(_path(text, default))


def _noted(home: Path) -> str | None:
    """The landing folder that an earlier command remembered (`app.landing_folder`)."""
    try:
        return (home / LANDING_NOTE).read_text("utf-8").strip() or None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise TallyhouseError(
            f"{home / LANDING_NOTE} cannot be read; it names the landing folder of this warehouse."
            f" Give this account read permission, or set {PREFIX}LANDING."
        ) from error


def _number(text: str | None, default: float, name: str, form: str) -> float:
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1
    if not 0 <= number < float("inf"):
        raise TallyhouseError(f"{PREFIX}{name} is '{text}'; write a number of {form}.")
    return number


def _folder(text: str, name: str) -> Path:
    path = _path(text.strip(), Path())
    if not path.is_dir():
        raise TallyhouseError(f"{name} names {path}, which is not a folder. Correct or unset it.")
    return path


def _database_url(text: str | None) -> str | None:
    if text and not text.startswith(("postgresql://", "postgres://")):
        raise TallyhouseError(
            f"{PREFIX}DATABASE_URL must start with postgresql://, as in "
            "postgresql://user:password@host:5432/database. Unset it to use the embedded server."
        )
    return text

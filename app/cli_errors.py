"""Every failure becomes a sentence for the person who must act, and a non-zero exit code.

Belongs here: the guard around a command, and around a word that several of them take. Does not belong
here: the commands.
"""

import errno
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NoReturn
from uuid import UUID

import click
import psycopg

from tallyhouse.closed_files import write_closed
from tallyhouse.errors import INTERRUPTED, INTERRUPTED_CODE, TallyhouseError
from tallyhouse.settings import Settings, make_folder

NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)


def sentences(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every failure ends as one sentence and a non-zero exit code."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TallyhouseError as error:
            fail(str(error))
        except KeyboardInterrupt:
            fail(INTERRUPTED, INTERRUPTED_CODE)
        except psycopg.errors.DiskFull as error:
            fail(f"The database's disk is full ({_flat(error)}). Make room, then run again.")
        except psycopg.OperationalError as error:
            fail(
                f"The connection to the database was lost ({_flat(error)}). Nothing is lost; see "
                "`tallyhouse db status`, then run again."
            )
        except OSError as error:
            if error.errno == errno.ENOSPC:
                fail(
                    f"No space is left on the disk of {error.filename}. Make room, then run again."
                )
            if error.errno in NOT_OURS:
                fail(
                    f"{error.filename} cannot be read or written ({error.strerror}). Give this account"
                    " the right to it, or set TALLYHOUSE_HOME to a folder of its own; then run again."
                )
            _unexpected(error)
        except click.exceptions.Exit:
            raise
        except click.ClickException:
            raise
        except Exception as error:
            _unexpected(error)

    return guarded


def _flat(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def fail(sentence: str, code: int = 1) -> NoReturn:
    """Say why on stderr and exit."""
    click.echo(sentence, err=True)
    sys.exit(code)


def _unexpected(error: Exception) -> NoReturn:
    """What nobody foresaw: one sentence here, the whole story in a file."""
    story = _without_values("".join(traceback.format_exception(error)))
    sentence = f"Unexpected {type(error).__name__}: {_without_values(_flat(error))}."
    name = f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    try:
        logs = Settings.from_env().home / "logs"
        make_folder(logs)
        write_closed(logs / name, story.encode())
    except (OSError, TallyhouseError):
        fail(f"{story}\n{sentence}")
    fail(f"{sentence} The whole story is in {logs / name}.")


def _without_values(text: str) -> str:
    """What an error says, without what it repeats of the data."""
    from ingestion.privacy.scrub import Scrubber
    from ingestion.privacy.tokens import Tokeniser

    return Scrubber(Tokeniser(bytes(32))).text(text, None)


def id_of(text: str, what: str) -> UUID:
    """The id that was given; `what` is its column and the table that has them. Raises TallyhouseError."""
    try:
        return UUID(text)
    except ValueError as error:
        raise TallyhouseError(f"{text} is not a {what} lists them all.") from error

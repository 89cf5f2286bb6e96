"""Every failure becomes a sentence for the person who must act, and a non-zero exit code.

Belongs here: the guard around a command. Does not belong here: the commands.
"""

import errno
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, NoReturn

import click
import psycopg

from tallyhouse.errors import TallyhouseError
from tallyhouse.settings import Settings, make_folder


def sentences(command: Callable[..., Any]) -> Callable[..., Any]:
    """Every failure ends as one sentence and a non-zero exit code."""

    @wraps(command)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TallyhouseError as error:
            fail(str(error))
        except KeyboardInterrupt:
            fail("Interrupted. Nothing is lost; the same command picks up from here.", 130)
        except psycopg.errors.DiskFull as error:
            fail(f"The database's disk is full ({_flat(error)}). Make room, then run again.")
        except psycopg.OperationalError as error:
            fail(
                f"The connection to the database was lost ({_flat(error)}). Nothing is lost; see "
                "`tallyhouse db status`, then run again."
            )
        except OSError as error:
            if error.errno != errno.ENOSPC:
                _unexpected(error)
            fail(f"No space is left on the disk of {error.filename}. Make room, then run again.")
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
    home = Settings.from_env().home
    make_folder(home / "logs")
    path = home / "logs" / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.log"
    path.write_text("".join(traceback.format_exception(error)))
    fail(f"Unexpected {type(error).__name__}: {_flat(error)}. The whole story is in {path}.")

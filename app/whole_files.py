"""Files that a person may read and change, written whole or not at all.

Does not belong here: files that are nobody else's (`tallyhouse.closed_files`).
"""

import os
import tempfile
from pathlib import Path

from tallyhouse.errors import TallyhouseError


def write_whole(out: Path, text: str) -> None:
    """Put a file with this text in the place of what was there; raises TallyhouseError."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
        aside = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(text)
            aside.chmod(0o644)
            aside.replace(out)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise TallyhouseError(f"{out} cannot be written ({error.strerror or error}).") from error

"""Keys of personal data for tests, kept as a warehouse asks for it: in a file that nobody else may read."""

from pathlib import Path


def put_key(path: Path, key: bytes) -> Path:
    """A key in its file, whatever was there before."""
    path.touch(mode=0o600)
    path.write_text(key.hex())
    return path

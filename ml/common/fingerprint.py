"""Fingerprints: of data, of code, of a description. The same inputs give the same text, always.

Belongs here: hashing. Does not belong here: where artefacts lie (``artefact``) or what is trained.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml.common.spec import KEYS, ModelSpec


def digest(*parts: bytes | str) -> str:
    """SHA-256 over the parts, each with its length before it, so that no two lists collide."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()


def of_frame(frame: pd.DataFrame) -> str:
    """Fingerprint of a frame's rows; the order of rows does not matter, values do, to the bit."""
    keys = [key for key in KEYS if key in frame.columns]
    rows = frame.sort_values(keys, kind="stable") if keys else frame
    parts: list[bytes | str] = []
    for name in sorted(rows.columns):
        parts.append(name)
        parts.append(_column_bytes(rows[name]))
    return digest(*parts)


def _column_bytes(column: pd.Series) -> bytes:
    if pd.api.types.is_datetime64_any_dtype(column):
        nanoseconds = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[ns]")
        return nanoseconds.astype("<i8").tobytes()
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return np.asarray(column, dtype="<f8").tobytes()
    return "\x1f".join("\x00" if pd.isna(v) else str(v) for v in column).encode()


def of_row(values: dict[str, Any]) -> str:
    """Fingerprint of one entity's features, as logged with its prediction."""
    clean = {k: None if pd.isna(v) else v for k, v in values.items()}
    return digest(json.dumps(clean, sort_keys=True, default=float))[:32]


def of_spec(spec: ModelSpec) -> str:
    """Fingerprint of what prediction relies on: the features, their order and their kind."""
    return digest(
        spec.name, spec.version, *(f"{feature.name}:{feature.kind}" for feature in spec.features)
    )


@cache
def of_code() -> str:
    """Fingerprint of this package's source and of the libraries that do the arithmetic."""
    root = Path(__file__).parents[1]
    sources = sorted(path for path in root.rglob("*.py") if "__pycache__" not in path.parts)
    parts: list[bytes | str] = []
    for path in sources:
        parts += [path.relative_to(root).as_posix(), path.read_bytes()]
    return digest(*parts, *libraries())


def libraries() -> tuple[str, ...]:
    """The versions an artefact depends on."""
    return tuple(f"{name} {version(name)}" for name in ("numpy", "scikit-learn"))

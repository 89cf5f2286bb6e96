"""Trained models as files: ``<fingerprint>.joblib``, written whole or not at all, read with care.

Belongs here: the file and the proof that it is the one the registry means. A file is never
unpickled before its digest has been compared.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import joblib

from ml.common import fingerprint
from ml.common.errors import ArtefactError
from ml.common.model import TrainedModel
from ml.common.training import fingerprint_of


def path_of(folder: Path, name: str) -> Path:
    """Where the artefact of a fingerprint lies."""
    return folder / f"{name}.joblib"


def save(folder: Path, model: TrainedModel) -> str:
    """Write the artefact; gives the digest of its bytes, for the registry."""
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    target = path_of(folder, model.fingerprint)
    part = target.with_suffix(f".part{os.getpid()}")
    part.write_bytes(buffer.getvalue())
    part.replace(target)
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def is_kept(folder: Path, name: str, digest: str) -> bool:
    """Whether the file of a fingerprint is there and is the one that was registered."""
    try:
        return hashlib.sha256(path_of(folder, name).read_bytes()).hexdigest() == digest
    except OSError:
        return False


def load(folder: Path, name: str, digest: str, libraries: tuple[str, ...]) -> TrainedModel:
    """Read the artefact ``name``; its bytes must have ``digest``. Raises ``ArtefactError``.

    libraries: the versions it was made with, as registered; other versions are refused unopened.
    """
    source = path_of(folder, name)
    way_out = "Train again (tallyhouse train) or restore the file."
    try:
        raw = source.read_bytes()
    except OSError as error:
        raise ArtefactError(
            f"The model file {source} cannot be read ({error.strerror}). {way_out}"
        ) from error
    if hashlib.sha256(raw).hexdigest() != digest:
        raise ArtefactError(
            f"The model file {source} is not the one that was registered: its digest differs. "
            f"It was not opened. {way_out}"
        )
    if libraries != fingerprint.libraries():
        raise ArtefactError(
            f"The model file {source} was made with {', '.join(libraries)}; installed are "
            f"{', '.join(fingerprint.libraries())}. {way_out}"
        )
    model: TrainedModel = joblib.load(io.BytesIO(raw))
    if model.fingerprint != name or fingerprint_of(model.components) != name:
        raise ArtefactError(
            f"The model file {source} carries the fingerprint {model.fingerprint}, not its own "
            f"name. {way_out}"
        )
    return model

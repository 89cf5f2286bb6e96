"""The models, one folder each, found by looking.

A folder ``ml/<model>/`` whose ``__init__.py`` sets ``SPEC`` is trained, predicted with and shown in
Dagster; nothing else names it. Belongs here: finding them. Does not belong here: any model.
"""

from __future__ import annotations

import importlib
import pkgutil

from ml.common.spec import ModelSpec

SHARED = {"common"}


def find_specs() -> tuple[ModelSpec, ...]:
    """Every model's description, by name. Raises ``ValueError`` for a folder that holds none."""
    found = []
    folders = importlib.import_module("ml").__path__
    for module in sorted(pkgutil.iter_modules(folders), key=lambda module: module.name):
        if not module.ispkg or module.name in SHARED:
            continue
        spec = getattr(importlib.import_module(f"ml.{module.name}"), "SPEC", None)
        if not isinstance(spec, ModelSpec) or spec.name != module.name:
            raise ValueError(
                f"ml/{module.name}/__init__.py must set SPEC = ModelSpec(name={module.name!r}, ...); "
                "docs/models.md says what goes into it"
            )
        found.append(spec)
    return tuple(found)

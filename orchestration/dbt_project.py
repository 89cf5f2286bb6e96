"""The dbt project as Dagster sees it: manifest and names.

Belongs here: making sure that a manifest exists, and the rule that folder, schema, asset group and
key prefix are one. Does not belong here: running dbt (`defs/transformation`).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings

from tallyhouse import dbt
from tallyhouse.settings import PROJECT_ROOT, Settings

# Every run builds what hangs on the date, as soon as something came in.
BUILT_NIGHTLY = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=26), fail_window=timedelta(hours=50)
)
AS_OF_MACROS = {"macro.tallyhouse.as_of", "macro.tallyhouse.as_of_date"}
SEEDS_OWNER = {"name": "Data engineering"}


def manifest() -> dict[str, Any]:
    """Return the parsed manifest, parsing the project first when a file is newer than it.

    Dagster's processes start together: one of them parses, the others wait for it.
    """
    return _manifest()[0]


def is_outdated() -> bool:
    """Whether the project may hold nodes that this process does not know, until it is started again."""
    settings = Settings.from_env()
    path = _path(settings)
    return not dbt.is_current(path, settings.root) or path.stat().st_mtime_ns != _manifest()[1]


def read_at() -> float:
    """When this process learned of which nodes the project consists."""
    return _manifest()[2]


@cache
def _manifest() -> tuple[dict[str, Any], int, float]:
    """The manifest, when the file was written that it was read from, and when it was read."""
    settings = Settings.from_env()
    path = _path(settings)
    with _alone(path.parent):
        if not dbt.is_current(path, settings.root):
            dbt.parse(settings)
        written_at = path.stat().st_mtime_ns
        parsed: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return parsed, written_at, time.time()


def _path(settings: Settings) -> Path:
    return settings.root / "target" / "manifest.json"


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time; where nothing can be written, nobody parses either."""
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / ".parsing").open("a")
    except OSError:
        yield
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class FolderTranslator(DagsterDbtTranslator):
    """Asset key = [schema, table], group = schema; the schema itself derives from the folder."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return [schema, relation name] of a model, seed, snapshot or source."""
        return dg.AssetKey([dbt_resource_props["schema"], relation_name(dbt_resource_props)])

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: Any,
    ) -> dg.AssetCheckSpec | None:
        """Return the check of a test, with dbt's own description of the test."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        said = manifest["nodes"].get(unique_id, {}).get("description", "").strip()
        if spec is None or not said:
            return spec
        return dg.AssetCheckSpec(
            spec.name,
            asset=spec.asset_key,
            description=said,
            additional_deps=spec.additional_deps,
            blocking=spec.blocking,
            metadata=spec.metadata,
        )

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: Any
    ) -> dg.AssetSpec:
        """Return dbt-dagster's spec of a node with the file that defines it and how fresh it is to be."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        if unique_id.startswith("source.") or "dagster/code_references" in spec.metadata:
            return spec
        props = self.get_resource_props(manifest, unique_id)
        path = props["original_file_path"]
        file = dg.LocalFileCodeReference(file_path=str(PROJECT_ROOT / path), label=path)
        spec = spec.merge_attributes(
            metadata={
                "dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[file])
            }
        )
        if AS_OF_MACROS.intersection(props["depends_on"]["macros"]):
            spec = spec.replace_attributes(freshness_policy=BUILT_NIGHTLY)
        self._resolved_specs[(id(manifest), unique_id, id(project))] = spec
        return spec

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Return the team that answers for the node: its group's owner, of seeds the data engineers."""
        group = dbt_resource_props.get("group")
        owner = group["owner"] if isinstance(group, Mapping) else SEEDS_OWNER
        return [owner.get("email") or f"team:{owner['name']}"]

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the schema, which is the folder."""
        return str(dbt_resource_props["schema"])


@cache
def translator() -> FolderTranslator:
    """Return the one translator of this process; it remembers what it worked out of the manifest."""
    return FolderTranslator()


def relation_name(props: Mapping[str, Any]) -> str:
    """Return the name the relation has in the database."""
    return str(props.get("identifier") or props.get("alias") or props["name"])


def landed_sources() -> list[dict[str, Any]]:
    """Return the manifest's sources that the loader fills (schemas `raw_*`), by key."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for source in manifest()["sources"].values():
        if source["schema"].startswith("raw_"):
            found.setdefault((source["schema"], relation_name(source)), source)
    return [found[key] for key in sorted(found)]

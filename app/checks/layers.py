"""Arrows between models run one way, a name says its layer, and whoever reads a mart is named, with an
address; what a mart offers to charts may be summed.

contracts → ingestion → staging → intermediate → marts → features → ml → predictions (a source
again) → marts. The conformed facts and dimensions of `marts/core` are common ground: the private
steps of every domain may start from them. What reads what comes from dbt's manifest, so a read that
a macro writes counts as well. Belongs here: who may read whom, and what a model is called. Does not
belong here: imports of Python (`pyproject.toml`, import-linter), how a file lies (`layout`).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

CONFORMED = ("marts", "core")
ORDER = {"staging": 0, "intermediate": 1, "marts": 2, "features": 3}
NAMES = {
    "staging": r"stg_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9_]+",
    "intermediate": r"int_[a-z0-9]+(_[a-z0-9]+)*__[a-z0-9_]+",
    "features": r"feat_[a-z0-9_]+__[a-z0-9_]+",
    "marts": r"[a-z][a-z0-9_]+",
}
EXPOSED = ("marts", "features")
LONGEST = 60


def findings(manifest: Mapping[str, Any]) -> list[str]:
    """Every offence as one sentence that begins with the file; takes `target/manifest.json`."""
    models = {key: node for key, node in manifest["nodes"].items() if key.startswith("model.")}
    exposed = {
        key
        for exposure in manifest["exposures"].values()
        for key in exposure["depends_on"]["nodes"]
    }
    found = []
    for key, node in sorted(models.items()):
        where = node["original_file_path"]
        found += [f"{where}: {why}" for why in _badly_named(node)]
        for read in node["depends_on"]["nodes"]:
            if read.startswith("source.") and _folders(node)[0] != "staging":
                found.append(f"{where}: only staging reads sources ({_short(read)})")
            elif read in models:
                found += [f"{where}: {why}" for why in _refused(node, models[read])]
        if _folders(node)[0] in EXPOSED and key not in exposed:
            found.append(
                f"{where}: no exposure names it; say in _<domain>__exposures.yml who uses it, or delete it"
            )
        if _folders(node)[0] == "marts":
            found += [f"{where}: {why}" for why in _unfit_for_charts(node)]
    for exposure in manifest["exposures"].values():
        found += [f"{exposure['original_file_path']}: {why}" for why in _unreachable(exposure)]
    return found


def _unfit_for_charts(node: Mapping[str, Any]) -> Iterator[str]:
    """What whoever sums a mart's column in a BI tool would get wrong."""
    keys = [c for c in node.get("constraints", ()) if c["type"] == "primary_key"]
    by_policy = any("policy" in key["columns"] for key in keys)
    if by_policy and (node["config"]["meta"].get("views") or {}).get("standard") is None:
        yield (
            "its rows are of several policies, which nobody may add up; say meta.views.standard:"
            " {policy: standard}"
        )
    if node["access"] != "public":
        yield f"a mart is public, this one is {node['access']}"


def _unreachable(exposure: Mapping[str, Any]) -> Iterator[str]:
    """Why whoever sees an exposure does not know whom to ask, or where to look."""
    if not (exposure["owner"] or {}).get("email"):
        yield f"exposure {exposure['name']} has no owner.email"
    if not exposure["url"]:
        yield f"exposure {exposure['name']} has no url"


def _badly_named(node: Mapping[str, Any]) -> Iterator[str]:
    folders, name = _folders(node), str(node["name"])
    layer = folders[0]
    if layer not in ORDER:
        yield f"'{layer}' is no layer ({', '.join(ORDER)})"
        return
    if len(folders) != (1 if layer == "features" else 2):
        yield "the path must be <layer>/<source or domain>/<model>.sql"
        return
    if not re.fullmatch(NAMES[layer], name) or len(name) >= LONGEST:
        yield f"the name must match {NAMES[layer]}, under {LONGEST} characters"
    if layer in ("staging", "intermediate") and f"_{folders[1]}__" not in name:
        yield f"the name must carry its folder, '{folders[1]}'"


def _refused(node: Mapping[str, Any], read: Mapping[str, Any]) -> Iterator[str]:
    """Why this model may not read that one; nothing when it may."""
    lower, upper = _folders(node), _folders(read)
    layer = lower[0]
    if lower == upper or layer not in ORDER or upper[0] not in ORDER:
        return  # a folder's models are one step together; a folder that is no layer is told of already
    if layer == "intermediate" and upper == CONFORMED:
        return
    if ORDER[upper[0]] > ORDER[layer]:
        yield f"{layer} may not read {upper[0]} ({read['name']}): arrows run one way"
    elif layer == "staging":
        yield f"staging reads its own source, not {read['name']}"


def _folders(node: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders between `models` and the file: layer, and source or domain."""
    return PurePosixPath(node["path"]).parent.parts or ("",)


def _short(key: str) -> str:
    return ".".join(key.split(".")[2:])

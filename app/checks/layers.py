"""Arrows run one way, and a name says its layer.

contracts → ingestion → staging → intermediate → marts → features → ml → predictions (a source
again) → marts. The conformed facts and dimensions of `marts/core` are common ground: the private
steps of every domain may start from them. Belongs here: who may read whom, and what a model is called.
"""

import re
from pathlib import Path

CONFORMED = ("marts", "core")
ORDER = {"staging": 0, "intermediate": 1, "marts": 2, "features": 3}
NAMES = {
    "staging": r"stg_[a-z0-9]+__[a-z0-9_]+",
    "intermediate": r"int_[a-z0-9]+__[a-z0-9_]+",
    "features": r"feat_[a-z0-9_]+__[a-z0-9_]+",
    "marts": r"[a-z][a-z0-9_]+",
}
LONGEST = 60


def findings(root: Path) -> list[str]:
    """Every offence as one sentence that begins with the file."""
    return _models(root)


def _models(root: Path) -> list[str]:
    found = []
    models = {p.stem: p.relative_to(root / "models") for p in (root / "models").rglob("*.sql")}
    for name, path in sorted(models.items()):
        layer = path.parts[0]
        where = f"models/{path.as_posix()}"
        if layer not in ORDER:
            found.append(f"{where}: '{layer}' is no layer ({', '.join(ORDER)})")
            continue
        if len(path.parts) != (2 if layer == "features" else 3):
            found.append(f"{where}: the path must be <layer>/<source or domain>/<model>.sql")
        if not re.fullmatch(NAMES[layer], name) or len(name) >= LONGEST:
            found.append(f"{where}: the name must match {NAMES[layer]}, under {LONGEST} characters")
        if layer in ("staging", "intermediate") and f"_{path.parts[1]}__" not in name:
            found.append(f"{where}: the name must carry its folder, '{path.parts[1]}'")
        text = (root / "models" / path).read_text("utf-8")
        text = re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)
        if re.search(r"\bsource\s*\(", text) and layer != "staging":
            found.append(f"{where}: only staging reads sources")
        for read in re.findall(r"\bref\s*\(\s*['\"](\w+)['\"]", text):
            target = models.get(read)
            if target is None:
                continue
            if target.parent != path.parent:  # a folder's models are one step together
                found += [f"{where}: {why}" for why in _refused(layer, target)]
    return found


def _refused(layer: str, target: Path) -> list[str]:
    """Why this model may not read that one; empty when it may."""
    upper = target.parts[0]
    if layer == "intermediate" and target.parts[:2] == CONFORMED:
        return []
    if ORDER[upper] > ORDER[layer]:
        return [f"{layer} may not read {upper} ({target.stem}): arrows run one way"]
    if layer == "staging":
        return [f"staging reads its own source, not {target.stem}"]
    return []

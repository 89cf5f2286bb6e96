"""How SQL and YAML lie in the project: one order of a model, one name per YAML file, lines one can read.

Belongs here: what a file's text and place show by themselves. Does not belong here: what a model
reads (`layers`), which SQL an engine understands (`portable_sql`), what sqlfluff says of a line.
"""

import re
from pathlib import Path

LONGEST_LINE = 120
SQL = ("models", "snapshots", "macros", "tests/dbt", "packages")
# The YAML files of a folder, by its layer; {folder} is the source or domain.
YAML_NAMES = {
    "models/staging": r"_{folder}__(sources|models)",
    "models/intermediate": r"_int_{folder}__(models|\w+_unit_tests)",
    "models/marts": r"_{folder}__(exposures|semantics)",
    "models/features": r"_features__exposures",
    "seeds": r"_{folder}__seeds",
}
# What has a file of its own in a folder of marts, by the keys with which it begins.
APART = {"exposures": "exposures", "semantics": "semantic_models|metrics"}
ONE_BESIDE_EACH = ("models/marts", "models/features")
_STEP = re.compile(r"^(?:with )?(\w+) as \($")
_END = re.compile(r"^\),?$")


def findings(root: Path) -> list[str]:
    """Every offence as one sentence that begins with the file."""
    return [*_long_lines(root), *_models(root), *_yaml(root)]


def _long_lines(root: Path) -> list[str]:
    found = []
    for folder in SQL:
        for path in sorted((root / folder).rglob("*.sql")):
            where = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
                if len(line) > LONGEST_LINE:
                    why = f"{len(line)} characters; break after {LONGEST_LINE}"
                    found.append(f"{where}:{number}: {why}")
    return found


def _models(root: Path) -> list[str]:
    found = []
    for path in sorted((root / "models").rglob("*.sql")):
        where = path.relative_to(root).as_posix()
        found += [f"{where}{why}" for why in order_offences(path.read_text("utf-8"))]
    return found


def order_offences(text: str) -> list[str]:
    """What one model lacks of the one order: config, import CTEs, named steps, `select * from` the last."""
    lines = text.rstrip("\n").split("\n")
    found, last = [], ""
    for number, line in enumerate(lines, 1):
        step = _STEP.match(line)
        if step:
            last = step.group(1)
            follows = "".join(lines[number : number + 1])
            if follows and not follows.lstrip().startswith("{%"):
                found.append(f":{number}: an empty line belongs after `{line}`")
        elif _END.match(line) and last and lines[number - 2] != "":
            found.append(f":{number}: an empty line belongs before `{line}`")
    if lines[-1] != f"select * from {last or 'final'}":
        found.append(f": the last line must be `select * from` the last step, '{last or 'final'}'")
    steps = re.search(r"^with\b", text, re.MULTILINE)
    if "{{ config(" in text[steps.start() if steps else 0 :]:
        found.append(": config comes first, before the first step")
    return found


def _yaml(root: Path) -> list[str]:
    found = []
    for layer, pattern in YAML_NAMES.items():
        for path in sorted((root / layer).rglob("*.yml")):
            where = path.relative_to(root).as_posix()
            named = pattern.format(folder=re.escape(path.parent.name))
            if layer in ONE_BESIDE_EACH and path.with_suffix(".sql").exists():
                text = path.read_text("utf-8")
                for kind, keys in APART.items():
                    if re.search(rf"^({keys}):", text, re.MULTILINE):
                        found.append(f"{where}: {kind} belong into _{path.parent.name}__{kind}.yml")
                continue
            if not re.fullmatch(named, path.stem):
                beside = "the name of a model beside it, or " if layer in ONE_BESIDE_EACH else ""
                found.append(f"{where}: the name must be {beside}{named}.yml")
        if layer in ONE_BESIDE_EACH:
            for path in sorted((root / layer).rglob("*.sql")):
                if not path.with_suffix(".yml").exists():
                    where = path.relative_to(root).as_posix()
                    found.append(f"{where}: no YAML of the same name lies beside it")
    return found

"""The staging folder of a product: one model a table, its sources and its descriptions.

Files that are there already are left as they are, and the two YAML files are given only the entries
that are missing: hands have been there. Belongs here: the text of the three kinds of
file, and what may be written. Does not belong here: what a column becomes (`staged_columns`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ingestion.cdc.contract import CdcContract
from ingestion.cdc.names import stored_table
from ingestion.drafting.sample import DraftError
from ingestion.drafting.staged_columns import GROUPS, StagedColumn, StagedTable, staged_table
from ingestion.drafting.yaml_text import scalar

_WRITTEN = (  # what every staging model of change data ends with
    "_committed_at as committed_at",
    "_received_at as received_at",
    "_load_id as load_id",
)
_DESCRIBED = (
    ("committed_at", "When the source committed the row's last change."),
    ("received_at", "When the change reached the landing folder."),
    ("load_id", "Load that stored the current state."),
)


@dataclass
class Written:
    """What became of each file."""

    new: list[Path] = field(default_factory=list)
    extended: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)


def write_staging(
    contract: CdcContract, folder: Path, tables: Sequence[str] = (), *, force: bool = False
) -> Written:
    """Write the staging of a database into its folder; raises DraftError."""
    if unknown := [name for name in tables if name not in contract.tables]:
        raise DraftError(
            f"The contract of {contract.product} declares no table {', '.join(unknown)}. It has"
            f" {', '.join(contract.tables)}."
        )
    staged = [staged_table(contract, name) for name in tables or contract.tables]
    if clashing := _clashes(staged):
        raise DraftError(f"Two tables would give one model: {', '.join(clashing)}.")
    written = Written()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in staged:
            path = folder / f"{table.model}.sql"
            if path.exists() and not force:
                written.kept.append(path)
                continue
            path.write_text(sql_text(table), "utf-8")
            written.new.append(path)
        product = contract.product
        sources = folder / f"_{product}__sources.yml"
        models = folder / f"_{product}__models.yml"
        whole = sources_text(product, staged)
        _put_yaml(sources, whole, _source_entries(staged), written, force=force)
        _put_yaml(models, models_text(staged), _model_entries(staged), written, force=force)
    except OSError as error:
        raise DraftError(
            f"{error.filename or folder} cannot be written ({error.strerror})."
        ) from error
    return written


def registers(contract: CdcContract, tables: Sequence[str] = ()) -> list[str]:
    """What is left to do by hand for tables of tenants and users: core unites them by a list."""
    found = []
    for name in tables or contract.tables:
        table = contract.tables[name]
        for is_one, variable in (
            (table.is_tenant_table, "tenant_registers"),
            (table.is_user_table, "user_registers"),
        ):
            if is_one:
                found.append(
                    f"stg_{contract.product}__{name} belongs into `{variable}` in dbt_project.yml, if it"
                    " is not there: core reads tenants and users from these lists."
                )
    return found


def _clashes(staged: Iterable[StagedTable]) -> list[str]:
    names = [table.model for table in staged]
    return sorted({name for name in names if names.count(name) > 1})


def sql_text(table: StagedTable) -> str:
    """The model: one source, one select that renames."""
    groups: list[list[str]] = []
    for group in GROUPS:
        lines = [_select(column) for column in table.columns if column.group == group]
        if group == "keys":
            lines = [f"'{table.product}' as product", "_tenant_id as tenant_id", *lines]
        if group == "times":
            lines += _WRITTEN
        if lines:
            groups.append(lines)
    body = ",\n\n".join(",\n".join(f"        {line}" for line in lines) for lines in groups)
    return (
        "with source as (\n\n"
        f"    select * from {{{{ source('raw_cdc_{table.product}', '{table.table}') }}}}\n\n"
        "),\n\n"
        "renamed as (\n\n"
        f"    select\n{body}\n"
        "    from source\n\n"
        ")\n\n"
        "select * from renamed\n"
    )


def _select(column: StagedColumn) -> str:
    if column.expression == column.name:
        return column.name
    return f"{column.expression} as {column.name}"


def sources_text(product: str, staged: Iterable[StagedTable]) -> str:
    """`_<product>__sources.yml`."""
    title = product.replace("_", " ").title()
    said = f"{title}'s own database, its current state, kept by change data capture."
    lines = [
        "sources:",
        f"  - name: raw_cdc_{product}",
        f"    description: {scalar(said)}",
        "    schema: raw_cdc",
        "    loader: ingestion (cdc)",
        "    config:",
        "      loaded_at_query: >",
        "        select max(max_received_at) from ops.source_watermarks",
        f"        where source_kind = 'cdc' and source_name = '{product}'",
        "      freshness:",
        "        warn_after: {count: 2, period: day}",
        "    tables:",
    ]
    return "\n".join(lines) + "\n" + "".join(_source_entries(staged).values())


def _source_entries(staged: Iterable[StagedTable]) -> dict[str, str]:
    return {
        table.table: f"      - name: {table.table}\n"
        f"        description: {scalar(table.description)}\n"
        f"        identifier: {stored_table(table.product, table.table)}\n"
        for table in staged
    }


def models_text(staged: Iterable[StagedTable]) -> str:
    """`_<product>__models.yml`."""
    return "models:\n" + "\n".join(_model_entries(staged).values())


def _model_entries(staged: Iterable[StagedTable]) -> dict[str, str]:
    return {table.model: "\n".join(_model(table)) + "\n" for table in staged}


def _model(table: StagedTable) -> Iterator[str]:
    is_one = len(table.key) == 1
    yield f"  - name: {table.model}"
    yield f"    description: {scalar(table.description)}"
    yield "    columns:"
    yield from _described("product", "Product the row belongs to.")
    is_tested = table.has_tenant and not is_one  # a key of one column has its tests itself
    tests = "not_null, unique" if table.is_tenant_table else "not_null" * is_tested
    yield from _described("tenant_id", "Tenant the row belongs to.", tests)
    for group in GROUPS:
        for column in table.columns:
            if column.group == group:
                is_unique = is_one and column.name == table.key[0]
                yield from _described(
                    column.name, column.description, "not_null, unique" * is_unique
                )
                if column.is_personal:
                    yield "        config: {tags: [personal_data]}"
    for name, said in _DESCRIBED:
        yield from _described(name, said)
    if len(table.key) > 1:
        yield "    data_tests:"
        yield "      - dbt_utils.unique_combination_of_columns:"
        yield "          arguments:"
        yield f"            combination_of_columns: [{', '.join(['tenant_id', *table.key])}]"


def _described(name: str, said: str, tests: str = "") -> Iterator[str]:
    yield f"      - name: {name}"
    yield f"        description: {scalar(said)}"
    if tests:
        yield f"        data_tests: [{tests}]"


def _put_yaml(
    path: Path, whole: str, entries: Mapping[str, str], written: Written, *, force: bool
) -> None:
    """A new file; or, in one that is there, the entries it lacks (and, forced, those it has)."""
    if not path.exists():
        path.write_text(whole, "utf-8")
        written.new.append(path)
        return
    before = path.read_text("utf-8")
    listed = _listed(before, path, whole)
    missing = [name for name in entries if name not in listed]
    if not missing and not force:
        written.kept.append(path)
        return
    lines = before.splitlines(keepends=True)
    gap = "\n" * whole.startswith("models:")  # models stand between empty lines, tables do not
    end = max(last for _, last in listed.values())
    lines[end + 1 : end + 1] = [gap + entries[name] for name in missing]
    for name, (first, last) in sorted(listed.items(), key=lambda item: -item[1][0]):
        if force and name in entries:
            lines[first : last + 1] = [entries[name]]
    after = "".join(lines)
    if [*_listed(after, path, whole)] != [*listed, *missing]:
        raise DraftError(
            f"{path} has a form to which nothing can be added. Add by hand:\n"
            + "".join(entries[name] for name in missing)
        )
    path.write_text(after, "utf-8")
    written.extended.append(path)


def _listed(text: str, path: Path, whole: str) -> dict[str, tuple[int, int]]:
    """The models of a YAML file, or the tables of the source that `whole` declares; each with its
    first and last line."""
    try:
        body = _children(yaml.compose(text, Loader=yaml.SafeLoader))
        entries = body["models"] if whole.startswith("models:") else _tables(body, whole)
        found = {}
        for entry in entries.value:
            found[str(_children(entry)["name"].value)] = (entry.start_mark.line, _last_line(entry))
        if not found:
            raise LookupError
        return found
    except (yaml.YAMLError, LookupError, StopIteration, TypeError, AttributeError) as error:
        raise DraftError(
            f"{path} lists no models or tables as dbt's YAML does. Mend it, or move it away."
        ) from error


def _tables(body: Mapping[str, yaml.Node], whole: str) -> yaml.Node:
    name = yaml.safe_load(whole)["sources"][0]["name"]
    sources = [_children(source) for source in body["sources"].value]
    return next(source["tables"] for source in sources if source["name"].value == name)


def _children(node: Any) -> dict[str, yaml.Node]:
    """The values of a mapping in YAML's own nodes, which know their place in the text."""
    return {key.value: value for key, value in node.value}


def _last_line(node: yaml.Node) -> int:
    """The line a node ends on; a block's own mark stands behind the empty lines that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_line(last[1] if isinstance(last, tuple) else last)
    line: int = node.end_mark.line
    return line

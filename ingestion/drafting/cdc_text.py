"""The text of a drafted database contract, each guess said beside it.

Belongs here: YAML lines and their comments. Does not belong here: what is guessed (`cdc`,
`catalogue`).
"""

from collections.abc import Iterator

from ingestion.drafting.cdc import ColumnDraft, DatabaseDraft, TableDraft
from ingestion.drafting.personal import is_data_not_a_name
from ingestion.drafting.wording import counted
from ingestion.drafting.yaml_text import comment, flow, on_one_line, scalar, words


def contract_text(draft: DatabaseDraft) -> str:
    """The contract as YAML that its own check accepts."""
    lines = [f"# {on_one_line(draft.origin)}"] if draft.origin else []
    lines += [
        "# A draft: read it, correct it, then load. `personal: token` stores a keyed token instead of the",
        "# value, `personal: drop` stores nothing; both are guessed, and in doubt set. `tenant` names the",
        "# column with the source's tenant id, `user` the one with its user id.",
    ]
    lines += [f"# {on_one_line(sentence)}" for sentence in draft.sentences]
    lines += ["kind: cdc", f"product: {draft.product}"]
    if draft.home:
        lines.append(
            f"schema: {scalar(draft.home)}{comment('whose tables are written without it')}"
        )
    lines.append("tables:")
    for table in draft.tables.values():
        lines += _table(table)
    return "\n".join(lines) + "\n"


def _table(table: TableDraft) -> Iterator[str]:
    basis = [table.basis] if table.basis else []
    if table.records is not None:
        basis = [counted(table.records, "record"), *basis]
    yield f"  {table.name}:{comment('; '.join(basis))}"
    if table.description:
        yield f"    description: {scalar(table.description)}"
    if table.primary_key:
        yield f"    primary_key: {words(table.primary_key)}"
    else:
        yield "    # no key was found: updates and deletes of such a table are refused"
    if table.tenant:
        yield f"    tenant: {scalar(table.tenant)}{comment('guessed by its name')}"
    if table.user:
        yield f"    user: {scalar(table.user)}{comment('guessed by its name')}"
    if table.is_tenant_table:
        yield f"    is_tenant_table: true{comment('guessed by the name of the table')}"
    if table.is_user_table:
        yield f"    is_user_table: true{comment('guessed by the name of the table')}"
    yield "    columns:" if table.columns else "    columns: {}"
    for column in table.columns.values():
        yield f"      {scalar(column.name)}: {_declared(column)}{comment(_note(column))}"
    for name in table.left_out:
        shown = "a column" if is_data_not_a_name(name) else repr(name)
        yield f"      # {on_one_line(shown)} cannot be declared (letters, digits, _ not first): it stays in _extra"


def _declared(column: ColumnDraft) -> str:
    said = column.declared()
    return scalar(said["type"]) if said.keys() == {"type"} else flow(said)


def _note(column: ColumnDraft) -> str:
    notes = [column.guess.note] if column.guess.note else []
    if column.verdict:
        notes.insert(0, column.verdict.reason)
    if column.is_optional is False:
        notes.append("never null")
    return "; ".join(notes)

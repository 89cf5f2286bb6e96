"""Writes `docs/input-forms.md` from the forms: `python -m tests.forms.page`.

Belongs here: the document's text and tables. Does not belong here: any claim that no form holds.
"""

from collections.abc import Iterable

from tallyhouse.settings import PROJECT_ROOT
from tests.forms import Form, Outcome, all_forms

PAGE = PROJECT_ROOT / "docs" / "input-forms.md"
_HEAD = """\
# Forms of input

What becomes of each form of input. Every line is loaded by a test, which holds what came against
this page: a form is **read** (what is stored of it stands beside it), **refused with a sentence**
(in `ops.rejected_records`, or in the load's own lines, which then ends with exit code 1), or **kept
aside** (stored, and reported in `ops.schema_drift`). Written by `python -m tests.forms.page` from
`tests/forms`; a form that is missing belongs there.
"""


def text_of_page(forms: Iterable[Form]) -> str:
    """The whole document."""
    groups: dict[str, list[Form]] = {}
    for form in forms:
        groups.setdefault(form.group, []).append(form)
    lines = [_HEAD]
    for group, members in groups.items():
        lines += [f"## {group}\n", "| form | outcome | what comes of it |", "|---|---|---|"]
        lines += [f"| {_cell(f.name)} | {f.outcome} | {_cell(_told(f))} |" for f in members]
        lines.append("")
    return "\n".join(lines)


def _told(form: Form) -> str:
    if form.outcome is Outcome.REFUSED:
        return " · ".join([*filter(None, [_rows(form)]), form.sentence])
    if form.outcome is Outcome.KEPT_ASIDE:
        return " · ".join([*filter(None, [_rows(form)]), f"`{form.sentence}`"])
    return _rows(form)


def _rows(form: Form) -> str:
    rows = [", ".join(_field(name, value) for name, value in row.items()) for row in form.stored]
    counted = [f"{rows.count(row)} × {row}" if rows.count(row) > 1 else row for row in rows]
    return " · ".join(dict.fromkeys(counted))


def _field(name: str, value: str | None) -> str:
    return f"no {name}" if value is None else f"{name} `{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    PAGE.write_text(text_of_page(all_forms()), encoding="utf-8")

"""Every form of input comes to the outcome that is due, and docs/input-forms.md says the same."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tallyhouse.database import Warehouse
from tests.forms import Form, Outcome, all_forms
from tests.forms.page import PAGE, text_of_page
from tests.forms.trial import load_form

FORMS = list(all_forms())


@pytest.fixture(scope="module")
def forms_warehouse(fresh_database: Callable[..., Warehouse]) -> Warehouse:
    return fresh_database("forms", prepared=True)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.group}: {form.name}")
def test_a_form_comes_to_its_outcome(
    form: Form, forms_warehouse: Warehouse, tmp_path: Path
) -> None:
    came = load_form(form, forms_warehouse, tmp_path)
    due = sorted((tuple(row.values()) for row in form.stored), key=str)
    assert came.rows == due, came.said
    assert form.sentence in came.said
    is_refused = bool(came.rejected or came.failures)
    assert is_refused == (form.outcome is Outcome.REFUSED), came.said


def test_a_form_says_what_is_due() -> None:
    names = Counter((form.group, form.name) for form in FORMS)
    assert set(names.values()) == {1}
    for form in FORMS:
        assert form.stored if form.outcome is Outcome.READ else form.sentence, form.name
        assert all(row.keys() == form.stored[0].keys() for row in form.stored), form.name


def test_the_page_is_what_the_forms_say() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == text_of_page(FORMS), "run `python -m tests.forms.page`"

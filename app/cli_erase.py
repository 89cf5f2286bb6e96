"""The command `tallyhouse erase`: people out of everything that is kept.

Belongs here: options, what is said in the end. Does not belong here: the erasure (`erasing`).
"""

from pathlib import Path
from uuid import UUID

import click

from app.cli_errors import sentences
from tallyhouse.errors import TallyhouseError
from tallyhouse.progress import Reporter
from tallyhouse.settings import Settings


@click.command()
@click.option(
    "--subject", "subjects", multiple=True, metavar="ID", help="An id or token of the person."
)
@click.option(
    "--subjects",
    "file",
    type=click.Path(path_type=Path),
    help="File with one a line: ID, or ID,PRODUCT,TENANT.",
)
@click.option("--product", metavar="NAME", help="Whose person it is.")
@click.option("--tenant", metavar="ID", help="The person's tenant, where several have the id.")
@click.option(
    "--resume", is_flag=True, help="Complete what was interrupted, and ask for nobody else."
)
@sentences
def erase(
    subjects: tuple[str, ...],
    file: Path | None,
    product: str | None,
    tenant: str | None,
    resume: bool,
) -> None:
    """Erase people from all that is kept, prove it by a search, and certify it.

    A person is named by the user_id of the marts, by an id that a source gave, or by a token. Invoices and
    payments stay, without the person. Whoever is sent again stays erased. Interrupted anywhere, `--resume` or
    the next erasure completes it.
    """
    from app import erasing, run_log
    from app.preparation import prepare
    from tallyhouse.database import open_warehouse

    asked = [(name, product, tenant) for name in subjects]
    asked += [_asked(line, product, tenant) for line in (_lines(file) if file is not None else ())]
    if not asked and not resume:
        raise TallyhouseError(
            "Say who is meant: --subject, --subjects, or --resume for what was interrupted."
        )
    if asked and resume:
        raise TallyhouseError(
            "--resume names nobody else; leave out the others, or leave out --resume."
        )
    settings, reporter = Settings.from_env(), Reporter()
    warehouse = open_warehouse(settings)
    prepare(warehouse)
    with run_log.only_run(warehouse, reporter.say):
        result = erasing.erase(
            settings,
            warehouse,
            reporter,
            [erasing.Asked(named, of, _tenant(whose)) for named, of, whose in asked],
        )
    for sentence in result.sentences():
        click.echo(sentence)


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        raise TallyhouseError(f"{file} is no file. Write one id or token a line.")
    return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]


def _asked(
    line: str, product: str | None, tenant: str | None
) -> tuple[str, str | None, str | None]:
    named, _, rest = line.partition(",")
    of, _, whose = rest.partition(",")
    return named.strip(), of.strip() or product, whose.strip() or tenant


def _tenant(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError as error:
        raise TallyhouseError(f"{text} is no tenant_id; core.dim_tenant lists them all.") from error

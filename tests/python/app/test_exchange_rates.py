"""Files of exchange rates as the European Central Bank publishes them, and what is none.

Belongs here: forms of files, what a refresh keeps and tells. Does not belong here: what an amount is worth.
"""

import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.exchange_rates import SEED, read, refresh
from tallyhouse.errors import TallyhouseError
from tests.shared_data import shared

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
RATES = {
    (MONDAY, "usd"): Decimal("1.1"),
    (MONDAY, "jpy"): Decimal(170),
    (TUESDAY, "usd"): Decimal("1.2"),
}
WIDE = "Date,USD,JPY,\n2026-03-03,1.2,N/A,\n2026-03-02,1.1,170,\n"
LONG = "rate_date,currency,eur_rate\n2026-03-02,usd,1.1\n2026-03-02,JPY,170\n2026-03-03,usd,1.2\n"
ONE_DAY = "Date, USD, JPY, \n02 March 2026, 1.1, 170, \n"
XML = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="2026-03-03"><Cube currency="USD" rate="1.2"/></Cube>
<Cube time="2026-03-02"><Cube currency="USD" rate="1.1"/><Cube currency="JPY" rate="170"/></Cube></Cube></e:Envelope>
"""


def file(folder: Path, text: str, name: str = "rates.csv") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name


@pytest.mark.parametrize("text", [WIDE, LONG, XML, "\ufeff" + WIDE, WIDE.replace("\n", "\r\n")])
def test_every_form_gives_the_same_rates(tmp_path: Path, text: str) -> None:
    assert read(file(tmp_path, text)) == RATES


def test_the_file_of_a_day(tmp_path: Path) -> None:
    assert read(file(tmp_path, ONE_DAY)) == {
        key: rate for key, rate in RATES.items() if key[0] == MONDAY
    }


def test_a_zip_of_one_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "hist.zip", "w") as archive:
        archive.writestr("eurofxref-hist.csv", WIDE)
    assert read(tmp_path / "hist.zip") == RATES
    with zipfile.ZipFile(tmp_path / "hist.zip", "a") as archive:
        archive.writestr("more.csv", WIDE)
    with pytest.raises(TallyhouseError, match="a zip of 2 files"):
        read(tmp_path / "hist.zip")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no exchange rates"),
        ("id,name\n1,a\n", "holds no exchange rates"),
        ("Date,USD\n", "holds no exchange rates"),
        ("Date,USD\n2026-03-02,N/A\n", "holds no exchange rates"),
        ("Date,USD\n03/02/2026,1.1\n", "line 2, USD: '03/02/2026' is no day"),
        ("Date,USD\n2026-03-02,-1\n", "line 2, USD: '-1' is no exchange rate"),
        ("Date,USD\n2026-03-02,NaN\n", "line 2, USD: 'NaN' is no exchange rate"),
        ('Date,USD\n2026-03-02,"1,1"\n', "line 2, USD: '1,1' is no exchange rate"),
        ("Date,USD,JPY\n2026-03-02,1.1\n", "line 2: 2 columns, the header has 3"),
        ("rate_date,currency,eur_rate\n2026-03-02,dollar,1\n", "line 2: expected a day"),
        ("<a><b", "is XML that ends or breaks off"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "is no file of exchange rates"),
    ],
)  # fmt: skip
def test_what_is_no_rate_is_a_sentence_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    seed = file(tmp_path, LONG, "seed.csv")
    with pytest.raises(TallyhouseError, match=said):
        refresh(file(tmp_path, text), TUESDAY, seed)
    assert seed.read_text("utf-8") == LONG and not list(tmp_path.glob(".seed*"))


def test_a_refresh_keeps_what_the_file_does_not_have(tmp_path: Path) -> None:
    seed = file(tmp_path, LONG, "seed.csv")
    told = "Date,USD,CAD\n2026-03-04,1.3,1.5\n2026-03-02,1.15,N/A\n"
    done = refresh(file(tmp_path, told), date(2026, 3, 4), seed)
    assert (done.new, done.changed, done.late, done.currencies) == (2, 1, 1, 2)
    assert (done.first, done.last) == (MONDAY, date(2026, 3, 4))
    assert seed.read_text("utf-8").splitlines() == [
        "rate_date,currency,eur_rate", "2026-03-02,jpy,170", "2026-03-02,usd,1.15", "2026-03-03,usd,1.2",
        "2026-03-04,cad,1.5", "2026-03-04,usd,1.3",
    ]  # fmt: skip
    again = refresh(seed, date(2026, 3, 4), seed)
    assert (again.new, again.changed, again.late) == (0, 0, 0)


def test_what_comes_after_its_day_says_what_stood_until_then(tmp_path: Path) -> None:
    """Wednesday's and Thursday's dollars come on Friday, when Tuesday's stood for both; so does another Monday."""
    seed = file(tmp_path, LONG, "seed.csv")
    told = (
        "Date,USD,CAD\n2026-03-06,1.5,1.5\n2026-03-05,1.4,1.4\n2026-03-04,1.3,1.3\n2026-03-03,1.2,1.2"
        "\n2026-03-02,1.15,1.1\n2026-02-27,1.05,1.0\n"
    )
    friday = date(2026, 3, 6)
    assert refresh(file(tmp_path, told), friday, seed).late == 3
    revisions = tmp_path / "fx_rate_revisions.csv"
    first = [
        "rate_date,currency,known_on,eur_rate_before",
        "2026-03-02,usd,2026-03-06,1.1", "2026-03-04,usd,2026-03-06,1.2", "2026-03-05,usd,2026-03-06,1.2",
    ]  # fmt: skip
    assert revisions.read_text("utf-8").splitlines() == first
    refresh(file(tmp_path, "Date,USD\n2026-03-02,1.16\n"), friday, seed)
    assert revisions.read_text("utf-8").splitlines() == first
    refresh(file(tmp_path, "Date,USD\n2026-03-02,1.17\n"), date(2026, 3, 7), seed)
    second = "2026-03-02,usd,2026-03-07,1.16"
    assert revisions.read_text("utf-8").splitlines() == [*first[:2], second, *first[2:]]


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["fx", "update", str(tmp_path / "nowhere.csv")])
    assert result.exit_code == 1 and "nowhere.csv cannot be read" in result.output


def test_the_seed_has_every_rate_of_the_published_file() -> None:
    seed = read(SEED)
    published = read(shared("reference/ecb_eur_fx_2015_on.csv"))
    assert len(published) > 20_000
    assert {key: rate for key, rate in published.items() if seed.get(key) != rate} == {}

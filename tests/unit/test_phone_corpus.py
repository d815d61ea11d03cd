"""The macro normalize_phone against libphonenumber: every region, in every form, on DuckDB and on PostgreSQL."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING

import phonenumbers
import pytest

from tests.support import postgres_macros
from tests.support.deliberate_differences import e164
from tests.support.identifiers import PHONE_PLAN
from tests.support.macro_renderer import ROOT, run
from tests.support.phone_corpus import Written, corpus, misses

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.postgres import Server

PLAN = ", ".join(f"'countries.{column}'" for column in PHONE_PLAN)
SQL = f"""
select {{{{ normalize_phone('given.text', {PLAN}) }}}}
from given
left join countries on countries.country_code = given.region
order by given.position
"""


def _normalized(texts: list[tuple[str, str | None]]) -> list[str | None]:
    return [number for (number,) in run(SQL, texts, ("text", "region"))]


@pytest.fixture(scope="module")
def found() -> list[tuple[Written, str | None, str | None]]:
    """Give each number of the corpus, what the macro makes of it, and how libphonenumber reads the text."""
    numbers = _normalized([(written.text, written.region) for written in corpus()])
    return [
        (written, ours, e164(written.text, written.region)) for written, ours in zip(corpus(), numbers, strict=True)
    ]


def test_phones_agree_with_libphonenumber(
    found: list[tuple[Written, str | None, str | None]], figure: Callable[[str, str], None]
) -> None:
    """At least 99.5 % are the number that is meant, and no other number is read by libphonenumber."""
    agreed = sum(ours == written.meant and theirs in (ours, None) for written, ours, theirs in found) / len(found)
    meant = sum(ours == written.meant for written, ours, _ in found)
    unread = sum(ours is None for _, ours, _ in found)
    wrong = len(found) - meant - unread
    regions = {written.region for written, _, _ in found}
    figure(
        "phones",
        f"{len(found):,} values of {len(regions)} regions: {agreed:.2%} agree with libphonenumber, {meant:,} are the "
        f"number meant, {unread} NULL, {wrong} another number; {len(misses())} listed",
    )
    assert regions == set(phonenumbers.SUPPORTED_REGIONS)
    assert agreed >= 0.995
    assert wrong == 0


def test_the_misses_are_listed(found: list[tuple[Written, str | None, str | None]]) -> None:
    """What is not the number meant, and what libphonenumber reads as another, is in the table with its reason."""
    wrong = {
        (written.region, written.form, written.text, written.meant, ours or "", theirs or "")
        for written, ours, theirs in found
        if ours != written.meant or theirs not in (ours, None)
    }
    columns = ("region", "form", "text", "meant", "ours", "libphonenumber")
    assert {tuple(row[column] for column in columns) for row in misses()} == wrong
    assert all(row["reason"] for row in misses())


@pytest.mark.parametrize("region", ["DE", "US", "IT", None])
def test_a_number_with_its_country_code_needs_no_country(region: str | None) -> None:
    """Written internationally it is the same number in a shop of any country, or of none."""
    kept = [written for written in corpus() if written.form in ("E.164", "international", "trunk zero in brackets")]
    numbers = _normalized([(written.text, region) for written in kept])
    assert [(written, ours) for written, ours in zip(kept, numbers, strict=True) if ours != written.meant] == []


def test_postgresql_reads_every_number_alike(
    postgres: Server, found: list[tuple[Written, str | None, str | None]], figure: Callable[[str, str], None]
) -> None:
    """The same SQL, rendered for PostgreSQL and run on a real server, gives the same row by row."""
    texts = [(written.text, written.region) for written, _, _ in found]
    theirs = [number for (number,) in postgres_macros.run(postgres, SQL, texts, ("text", "region"))]
    figure("phones on PostgreSQL", f"{len(theirs):,} values, {sum(number is None for number in theirs)} NULL")
    assert [(row, number) for row, number in zip(found, theirs, strict=True) if row[1] != number] == []


EXAMPLES = {
    ("011 15-2345-6789", "AR"): "5491123456789",  # a mobile: 15 goes, 9 comes
    ("+54 9 11 2345-6789", "AR"): "5491123456789",
    ("0 15 11 96123-4567", "BR"): "5511961234567",  # 15 is the carrier
    ("044 55 1234 5678", "MX"): "525512345678",
    ("+52 1 55 1234 5678", "MX"): "525512345678",
    ("5215512345678", "MX"): "525512345678",
    ("+39 (0)6 1234 5678", "IT"): "390612345678",
    ("0011 44 20 7946 0958", "AU"): "442079460958",
    ("8 10 44 20 7946 0958", "RU"): "442079460958",
    ("011 44 20 7946 0958", "US"): "442079460958",
    ("8 029 491-19-11", "BY"): "375294911911",
    ("222-1234", "AI"): "12642221234",  # the island's area code
    ("0031 20 123 4567", "BR"): None,  # 31 is a carrier, and the Netherlands
    ("+210 123456789", "DE"): None,  # nobody's calling code
    ("+1 150 555 1212", "DE"): None,  # no area code
}


def test_hand_picked_numbers() -> None:
    """What people dial where, from the numbering plans; what could be two numbers is none."""
    assert dict(zip(EXAMPLES, _normalized(list(EXAMPLES)), strict=True)) == EXAMPLES


def test_every_calling_code_is_known() -> None:
    """A number of another country counts when somebody has its calling code, and only then."""
    codes = {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE}
    possible = {str(n) for n in range(1, 1000) if not any(str(n)[:cut] in codes for cut in range(1, len(str(n))))}
    numbers = [f"+{code}2{'345678'}" if code != "1" else "+12345678901" for code in sorted(possible)]
    read = {
        code for code, ours in zip(sorted(possible), _normalized([(n, None) for n in numbers]), strict=True) if ours
    }
    prefixes = {code for code in possible if any(known.startswith(code) for known in codes - {code})}
    assert read - prefixes == codes


def test_the_seed_is_what_the_script_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No row of countries.csv was changed by hand: it is made of libphonenumber's metadata."""
    monkeypatch.syspath_prepend(str(ROOT / "seeds"))
    plans = __import__("phone_plans")
    with (ROOT / "seeds" / "countries.csv").open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    sys.modules.pop("phone_plans")
    assert header == plans.HEADER.split(",")
    assert rows == [[code, *plans.phone_plan(code)] for code in sorted({row[0] for row in rows})]
    assert {row[0] for row in rows} >= set(phonenumbers.SUPPORTED_REGIONS)

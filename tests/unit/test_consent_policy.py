"""The shipped law: who must be in it, and what each row must have."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

import pycountry
import pytest

POLICY = Path(__file__).parents[2] / "seeds" / "consent_policy.csv"
Row = dict[str, str]

EEA = set(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)
"""Its 30 states: the EFTA's list (efta.int/eea, read 2026-11-21)."""

HONOUR_GPC = set("CA CO CT DE MD MN MT NE NH NJ OR TX".split())  # noqa: SIM905
"""US states that oblige to honour an opt-out signal (consentstack.io/blog/us-state-privacy-laws, read 2026-11-21)."""

META_LIMITS = set("CA CO CT DE FL MD MN MT NE NH NJ OR RI TX".split())  # noqa: SIM905
"""US states for which Meta has a code of limited data use (its page on data processing options, read 2026-11-21)."""


def rows() -> list[Row]:
    """Read the seed."""
    with POLICY.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def promises_too_much(policy: list[Row]) -> list[str]:
    """Name the places where a denial is answered with a mark that Meta does not know, or that no opt-out asks for."""
    limited = [row for row in policy if row["on_denial"] == "limited_data_use"]
    return [
        f"{row['country_code']} {row['region_code']}"
        for row in limited
        if row["country_code"] != "US" or row["region_code"] not in META_LIMITS or row["regime"] != "opt_out"
    ]


def test_opt_in_law_is_named() -> None:
    """The whole EEA, the United Kingdom, Switzerland and Brazil are there, and ask first."""
    national = {row["country_code"]: row["regime"] for row in rows() if not row["region_code"]}
    assert len(EEA) == 30
    assert {country: national.get(country) for country in EEA | {"GB", "CH", "BR"}} == dict.fromkeys(
        EEA | {"GB", "CH", "BR"}, "opt_in"
    )


def test_every_us_state_has_a_row() -> None:
    """The 50 states and DC, as ISO 3166-2 lists them, and no row for the US as a whole."""
    wanted = {
        one.code[3:] for one in pycountry.subdivisions.get(country_code="US") if one.type in ("State", "District")
    }
    found = [row["region_code"] for row in rows() if row["country_code"] == "US"]
    assert len(wanted) == 51
    assert sorted(found) == sorted(wanted)


def test_opt_out_signals_count_where_the_law_says_so() -> None:
    """Global Privacy Control is a denial in twelve US states, and nowhere else."""
    found = {(row["country_code"], row["region_code"]) for row in rows() if row["gpc_is_denial"] == "true"}
    assert found == {("US", state) for state in HONOUR_GPC}


def test_every_row_has_a_source_and_the_day_of_reading() -> None:
    """A law, with a page, read on a day that has been."""
    for row in rows():
        place = f"{row['country_code']} {row['region_code']}"
        assert len(row["source"]) > 20, place
        assert row["read_on"] == date.fromisoformat(row["read_on"]).isoformat(), place
        assert date(2020, 1, 1) < date.fromisoformat(row["read_on"]) < date(2027, 1, 1), place


def test_each_place_exists_and_has_one_row() -> None:
    """Codes are those of ISO 3166, in upper case: a misspelt one would find no event."""
    places = [(row["country_code"], row["region_code"]) for row in rows()]
    assert sorted(places) == sorted(set(places))
    for country, region in places:
        assert pycountry.countries.get(alpha_2=country) is not None
        assert not region or pycountry.subdivisions.get(code=f"{country}-{region}") is not None


def test_words_are_known_and_nothing_is_revived() -> None:
    """Every row asks or lets object, holds on a denial, and what was withdrawn stays withdrawn."""
    assert {row["regime"] for row in rows()} == {"opt_in", "opt_out"}
    assert {row["on_denial"] for row in rows()} <= {"hold", "limited_data_use"}
    assert {row["regrant_revives"] for row in rows()} == {"false"}
    assert all(re.fullmatch("true|false", row["gpc_is_denial"]) for row in rows())


@pytest.mark.parametrize(("state", "found"), [("CA", []), ("RI", []), ("VA", ["US VA"])])
def test_limited_data_use_is_promised_where_meta_knows_it(state: str, found: list[str]) -> None:
    """The shipped policy promises it nowhere else; one that does, for a state without a code, is found."""
    policy = rows()
    assert promises_too_much(policy) == []
    edited = [row | {"on_denial": "limited_data_use"} if row["region_code"] == state else row for row in policy]
    assert promises_too_much(edited) == found

"""Every country is found by its codes and by its names, as ISO 3166-1 and Unicode's CLDR have them."""

from __future__ import annotations

import csv
from contextlib import suppress

import pycountry
import pytest
from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages

from tests.support.identifiers import Raw, normalize
from tests.support.macro_renderer import ROOT

COUNTRIES = list(pycountry.countries)


def _names_in(code: str, *languages: str) -> list[str]:
    names = []
    for language in languages:
        with suppress(UnknownLocaleError):
            names.append(Locale.parse(language).territories.get(code, ""))
    return [name for name in names if name]


def _not_found(names: dict[str, list[str]]) -> list[tuple[str, str, str | None]]:
    """List the names of countries, by their alpha-2, that have another normal form."""
    pairs = [(code.lower(), name) for code, known in names.items() for name in known]
    found = normalize([Raw("country", name, None) for _, name in pairs])
    return [
        (code, name, ours.normalized)
        for (code, name), ours in zip(pairs, found, strict=True)
        if ours.normalized != code
    ]


def test_every_country_has_its_codes() -> None:
    """All 249 of ISO 3166-1, by two letters and by three, in either case."""
    codes = {country.alpha_2: [country.alpha_2, country.alpha_3] for country in COUNTRIES}
    assert len(codes) == 249
    assert _not_found(codes) == []
    assert _not_found({code: [text.lower() for text in known] for code, known in codes.items()}) == []


@pytest.mark.parametrize("attribute", ["name", "common_name", "official_name"])
def test_every_country_has_its_english_names_of_iso(attribute: str) -> None:
    """Short, common and official name."""
    names = {country.alpha_2: [getattr(country, attribute)] for country in COUNTRIES if hasattr(country, attribute)}
    assert len(names) >= {"name": 249, "common_name": 8, "official_name": 170}[attribute]
    assert _not_found(names) == []


def test_every_country_has_its_english_name_of_cldr() -> None:
    """With & and St., as browsers and phones list them."""
    names = {country.alpha_2: _names_in(country.alpha_2, "en") for country in COUNTRIES}
    assert all(names.values())
    assert _not_found(names) == []


def test_every_country_has_its_names_in_its_own_languages() -> None:
    """In each language that is official there or in a part of it; only uninhabited places have none."""
    names = {}
    for country in COUNTRIES:
        languages = get_official_languages(country.alpha_2, regional=True, de_facto=True)
        names[country.alpha_2] = _names_in(country.alpha_2, *languages)
    assert {code for code, known in names.items() if not known} == {"AQ", "BV", "HM", "TF"}
    assert sum(map(len, names.values())) > 400
    assert _not_found(names) == []


@pytest.mark.parametrize("language", ["de", "es", "fr", "it", "nl", "pt"])
def test_countries_have_their_names_in_the_languages_of_many_shops(language: str) -> None:
    """CLDR's name of each country in each of these languages is found."""
    names = {country.alpha_2: _names_in(country.alpha_2, language) for country in COUNTRIES}
    assert all(names.values())
    assert _not_found(names) == []


def test_a_name_means_one_country() -> None:
    """No name is in the seed twice, and what is no country stays unknown."""
    with (ROOT / "seeds" / "country_names.csv").open(newline="", encoding="utf-8") as file:
        keys = [row["name_key"] for row in csv.DictReader(file)]
    assert len(keys) == len(set(keys)) > 4_000
    nowhere = ["Atlantis", "XX", "ZZZ", "Europe", "EU", "12", "-"]
    assert [ours.normalized for ours in normalize([Raw("country", name, None) for name in nowhere])] == [None] * 7

"""Writes countries.csv, country_names.csv and regions.csv beside this file.

Sources: the numbering plans of libphonenumber (package `phonenumbers`, see phone_plans.py), the countries,
subdivisions and translated names of ISO 3166 (package `pycountry`), the names of Unicode's CLDR in English and in each
official language of a country (package `babel`), and the names by hand below, which shops use and no standard has.
Run it again after an update of either package, and read the difference: ``python seeds/make_countries.py``.
"""

from __future__ import annotations

import csv
import gettext
import unicodedata
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pycountry
from babel import Locale, UnknownLocaleError
from babel.languages import get_official_languages
from phone_plans import BEYOND_ISO, HEADER, phone_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

HERE: Final = Path(__file__).parent

# Languages in which every country is named, beside English.
COMMON_LANGUAGES: Final = ("de", "es", "fr", "it", "nl", "pt", "pt_BR")

# Languages in which a country is named because people there write them.
LOCAL_LANGUAGES: Final = {
    "AE": "ar", "AT": "de", "BG": "bg", "BR": "pt_BR", "CN": "zh_CN", "CZ": "cs", "DK": "da", "EE": "et", "EG": "ar",
    "FI": "fi", "GR": "el", "HK": "zh_HK", "HR": "hr", "HU": "hu", "ID": "id", "IL": "he", "IN": "hi", "IR": "fa",
    "IS": "is", "JP": "ja", "KR": "ko", "KZ": "kk", "LT": "lt", "LV": "lv", "MA": "ar", "MY": "ms", "NO": "nb_NO",
    "PL": "pl", "RO": "ro", "RS": "sr", "RU": "ru", "SA": "ar", "SE": "sv", "SI": "sl", "SK": "sk", "TH": "th",
    "TR": "tr", "TW": "zh_TW", "UA": "uk", "VN": "vi",
}  # fmt: skip

# Names and codes in use that ISO 3166 does not list. EL is the tax code of Greece, UK that of the United Kingdom.
NAMES_BY_HAND: Final = {
    "AC": "Ascension, Ascension Island",
    "AE": "UAE, Emirates, الامارات العربية المتحدة, الإمارات",
    "BA": "Bosnia, Bosnien",
    "BE": "België, Belgique, Belgien, Belgie",
    "BO": "Bolivia, Bolivien, Bolivie, Bolívia",
    "BN": "Brunei",
    "BR": "Brasil",
    "CA": "Kanada",
    "CD": "DR Congo, DRC, Democratic Republic of the Congo, Congo-Kinshasa, Zaire",
    "CG": "Republic of the Congo, Congo-Brazzaville",
    "CH": "Schweiz, Suisse, Svizzera, Svizra, Swiss",
    "CI": "Ivory Coast, Côte d'Ivoire, Cote d'Ivoire, Elfenbeinküste",
    "CN": "PRC, Mainland China, 中国, 中國, 中华人民共和国",
    "CV": "Cape Verde, Kap Verde",
    "CZ": "Czech Republic, Czechia, Česká republika, Česko, Tschechische Republik, Tschechien",
    "DE": "BRD, Germany (Deutschland), Federal Republic of Germany",
    "DK": "Danmark",
    "DO": "Dominican Rep., República Dominicana",
    "EG": "مصر",
    "ES": "Espana, España, Espanya",
    "FI": "Suomi",
    "FK": "Falkland Islands",
    "FM": "Micronesia",
    "GB": "UK, U.K., Great Britain, Britain, England, Scotland, Wales, Northern Ireland, Großbritannien, "
    "Grossbritannien, Gran Bretagna, Grande-Bretagne, Gran Bretaña, Royaume-Uni, Reino Unido, Regno Unito, "
    "Vereinigtes Königreich",
    "GR": "EL, Hellas, Ελλάδα",
    "HK": "Hong Kong SAR, 香港",
    "IE": "Éire, Eire, Republic of Ireland",
    "IN": "Bharat, भारत",
    "IR": "Iran, ایران",
    "IT": "Italia, Italien, Italie",
    "JP": "Nippon, Nihon, 日本, 日本国",
    "KP": "North Korea, Nordkorea",
    "KR": "Korea, South Korea, Republic of Korea, Südkorea, Corea del Sur, Corée du Sud, Corea del Sud, Coreia do Sul, "
    "대한민국, 한국",
    "LA": "Laos",
    "MD": "Moldova, Moldawien, Moldau",
    "MK": "Macedonia, FYROM, Mazedonien",
    "MM": "Burma",
    "MO": "Macau, 澳門, 澳门",
    "MX": "Mexico, México, Méjico, Mexiko, Estados Unidos Mexicanos",
    "MY": "Malaysia",
    "NL": "Holland, The Netherlands, Netherlands (the), Nederland, Niederlande, Pays-Bas, Países Bajos, Paises Bajos, "
    "Países Baixos, Paesi Bassi, Olanda, Holanda",
    "NO": "Norge, Noreg",
    "NZ": "Aotearoa, Neuseeland",
    "PH": "Philippines, Philippinen, Pilipinas, Filipinas, The Philippines",
    "PL": "Polska, Polen, Pologne",
    "PS": "Palestine, State of Palestine, Palästina",
    "RU": "Russia, Russian Fed., Russland, Rußland, Rusia, Россия, РФ",
    "SA": "KSA, السعودية, المملكة العربية السعودية",
    "SE": "Sverige",
    "SG": "新加坡",
    "SK": "Slovakia, Slovak Republic, Slowakei, Slovensko",
    "SY": "Syria, Syrien",
    "SZ": "Swaziland, Swasiland",
    "TA": "Tristan da Cunha",
    "TH": "ไทย, ประเทศไทย",
    "TL": "East Timor, Osttimor",
    "TR": "Turkey, Türkiye, TÜRKİYE, Turkiye, Türkei, Turquía, Turquie, Turchia, Turquia",
    "TW": "Taiwan, 台灣, 臺灣, 台湾",
    "TZ": "Tanzania, Tansania",
    "UA": "Україна, Ucraina",
    "US": "U.S.A., U.S., USA, America, United States of America, The United States, EE.UU., EEUU, Estados Unidos, "
    "États-Unis, Etats-Unis, Vereinigte Staaten, Vereinigte Staaten von Amerika, Stati Uniti, Stati Uniti d'America, "
    "Verenigde Staten, Stany Zjednoczone, США, アメリカ, アメリカ合衆国, 米国, 美国, 미국, Amerika",
    "VA": "Vatican, Vatican City, Vatikan",
    "VE": "Venezuela",
    "VG": "British Virgin Islands",
    "VI": "US Virgin Islands, U.S. Virgin Islands",
    "VN": "Vietnam, Viet Nam, Việt Nam",
    "XK": "Kosovo, XKX, XKK, Kosova",
}

# States as newspapers abbreviate them, the armed forces' mail, and what is written for the capital.
US_REGIONS_BY_HAND: Final = {
    "AA": "Armed Forces Americas", "AE": "Armed Forces Europe", "AL": "Ala", "AP": "Armed Forces Pacific",
    "AR": "Ark", "AZ": "Ariz", "CA": "Calif, Cal", "CO": "Colo", "CT": "Conn", "DC": "Washington DC, Dist. of Columbia",
    "FL": "Fla", "IL": "Ill", "IN": "Ind", "KS": "Kans", "MA": "Mass", "MI": "Mich", "MN": "Minn", "MS": "Miss",
    "ND": "N Dak", "NE": "Nebr", "NM": "N Mex", "NV": "Nev", "OK": "Okla", "OR": "Ore", "PA": "Penn, Penna",
    "SD": "S Dak", "TN": "Tenn", "TX": "Tex", "VI": "US Virgin Islands, Virgin Islands", "WA": "Wash, Washington State",
    "WI": "Wis", "WV": "W Va", "WY": "Wyo",
}  # fmt: skip
CA_REGIONS_BY_HAND: Final = {
    "AB": "Alta", "BC": "Colombie-Britannique", "NB": "Nouveau-Brunswick", "NL": "Newfoundland, Labrador, "
    "Terre-Neuve-et-Labrador, Terre-Neuve", "NS": "Nouvelle-Écosse", "NT": "Territoires du Nord-Ouest, NWT",
    "ON": "Ont", "PE": "PEI, Île-du-Prince-Édouard", "QC": "Québec, PQ, Que", "SK": "Sask",
    "YT": "Yukon Territory, YK",
}  # fmt: skip


def name_key(name: str) -> str:
    """Make the same key as the macro `name_key`."""
    text = unicodedata.normalize("NFC", name).lower()
    return "".join(c for c in text if unicodedata.category(c)[0] in "LMN" and not "\u02b9" <= c <= "\u02df")


def split_names(names: str) -> list[str]:
    """Split a list by hand."""
    return [name.strip() for name in names.split(",")] if names else []


def translations(name: str, languages: Iterable[str]) -> list[str]:
    """Give a country's name in other languages, as far as they are known."""
    catalogues = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language]) for language in languages
    ]
    return [catalogue.gettext(name) for catalogue in catalogues]


def local_names(code: str) -> list[str]:
    """Give a country's name in English, the common languages, and those that are official there or in a part of it."""
    names = []
    for language in ("en", *COMMON_LANGUAGES, *get_official_languages(code, regional=True, de_facto=True)):
        with suppress(UnknownLocaleError):
            names.append(Locale.parse(language).territories.get(code, ""))
    return names


def country_codes() -> list[str]:
    """List every alpha-2 code, and those of regions with telephones that ISO 3166-1 does not list."""
    return sorted([*(country.alpha_2 for country in pycountry.countries), *BEYOND_ISO])


def without_accents(name: str) -> str:
    """Write a name in Latin letters as it is typed where there are no accents: España, Espana."""
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not "\u0300" <= letter <= "\u036f")


def names_of(code: str) -> set[str]:
    """Collect what a country is called: codes, English and translated names, names by hand."""
    names = {code, *split_names(NAMES_BY_HAND.get(code, "")), *local_names(code)}
    country = pycountry.countries.get(alpha_2=code)
    if country is not None:
        known = [country.name, getattr(country, "common_name", ""), getattr(country, "official_name", "")]
        languages = [*COMMON_LANGUAGES, *LOCAL_LANGUAGES.get(code, "").split()]
        names |= {country.alpha_3, *known, *(text for name in known if name for text in translations(name, languages))}
    # "Bosnia & Herzegovina": the key of a name drops the sign.
    names |= {name.replace(" and ", " ") for name in names} | {name.replace(" & ", " and ") for name in names}
    # "St. Lucia": a saint is written out or not.
    names |= {name.replace("St. ", "Saint ") for name in names} | {name.replace("Saint ", "St. ") for name in names}
    names |= {plain for plain in map(without_accents, names) if plain.isascii()}
    return {key for key in map(name_key, names) if key}


def country_names() -> list[list[str]]:
    """Make one row per key; a key that two countries share (in some language) names neither."""
    owners: dict[str, set[str]] = {}
    for code in country_codes():
        for key in names_of(code):
            owners.setdefault(key, set()).add(code)
    for key, codes in sorted(owners.items()):
        if len(codes) > 1:
            print(f"left out, it names {sorted(codes)}: {key}")
    return [[key, *codes] for key, codes in sorted(owners.items()) if len(codes) == 1]


def regions(country: str, by_hand: dict[str, str]) -> list[list[str]]:
    """Name the states or provinces of a country by code, name, ISO code and alias."""
    rows = set()
    official = {part.code[3:]: part.name for part in pycountry.subdivisions.get(country_code=country)}
    for code in official.keys() | by_hand.keys():
        names = [code, f"{country}-{code}", official.get(code, code), *split_names(by_hand.get(code, ""))]
        rows |= {(country, name_key(name), code) for name in names}
    return [list(row) for row in sorted(rows)]


def write(name: str, header: str, rows: list[list[str]]) -> None:
    """Write one seed."""
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)
    print(f"{name}: {len(rows)} rows")


def main() -> None:
    """Write the three seeds."""
    write("countries.csv", HEADER, [[code, *phone_plan(code)] for code in country_codes()])
    write("country_names.csv", "name_key,country_code", country_names())
    parts = regions("CA", CA_REGIONS_BY_HAND) + regions("US", US_REGIONS_BY_HAND)
    write("regions.csv", "country_code,name_key,region_code", parts)


if __name__ == "__main__":
    main()

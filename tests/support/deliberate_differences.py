"""Where the project's identifiers differ from those of others on purpose: one narrow test per rule.

`deliberate_differences.csv` names each rule with an example, what Meta's document says, and where. A predicate asks
whether the rule alone explains a difference; none of them uses the project's own macros or seeds.
"""

from __future__ import annotations

import csv
import datetime as dt
import gettext
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import phonenumbers
import pycountry

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = Path(__file__).with_suffix(".csv")
NAMES = ("first_name", "last_name", "city", "region")
BIRTH_FORMATS = (
    "%Y%m%d", "%Y%m%d.0", "%Y-%m-%d", "%Y/%m/%d", "%Y. %m. %d.", "%Y年%m月%d日", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y",
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%m-%d-%Y", "%d-%m-%Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%B %d, %Y",
)  # fmt: skip
LAST_BIRTHDAY = dt.date(2026, 11, 20)


class Case(NamedTuple):
    """One raw value with our normal form and that of the other side (None where it refuses the value)."""

    kind: str
    raw: str
    country: str | None
    ours: str | None
    theirs: str | None


def letters(text: str) -> str:
    """Letters, marks and digits, as Unicode classifies them; no invisible fillers, no marks of emoji."""
    composed = unicodedata.normalize("NFC", text.lower())
    return "".join(c for c in composed if unicodedata.category(c)[0] in "LMN" and c not in "ʼʻʹʽ\ufe0f\u3164\uffa0")


def _without_digits(text: str) -> str:
    return re.sub(r"[0-9]", "", text)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def _stripped(text: str) -> str:
    return text.strip("".join({c for c in text if _is_invisible(c)}))


@cache
def _countries_by_name() -> dict[str, str]:
    names = {}
    for language in ("en", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh_CN"):
        catalogue = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True)
        for country in pycountry.countries:
            known = (country.name, getattr(country, "common_name", ""), getattr(country, "official_name", ""))
            names |= {letters(catalogue.gettext(name)): country.alpha_2.lower() for name in known if name}
            names[country.alpha_3.lower()] = country.alpha_2.lower()
    return names


def _subdivision_names(case: Case) -> set[str]:
    parts = pycountry.subdivisions.get(country_code=case.country) if case.country in ("US", "CA") else None
    part = next((part for part in parts or [] if part.code[3:].lower() == case.ours), None)
    return {letters(part.name), letters(part.code)} if part else set()


def _birthdays(raw: str) -> set[str]:
    found = set()
    text = "".join(str(unicodedata.digit(c, c)) for c in raw.strip())
    for form in BIRTH_FORMATS:
        try:
            day = dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC).date()
        except ValueError:
            continue
        if dt.date(1900, 1, 1) <= day <= LAST_BIRTHDAY:
            found.add(day.strftime("%Y%m%d"))
    return found


def e164(raw: str, country: str | None) -> str | None:
    """What libphonenumber makes of a number, without +, if it is one that can be dialled from abroad."""
    try:
        number = phonenumbers.parse(raw, country)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]


def _is_impossible_address(text: str) -> bool:
    _, _, domain = text.partition("@")
    labels = domain.split(".")
    return (
        text.count("@") != 1
        or text.startswith("@")
        or len(labels) < 2
        or not all(labels)
        or any(c in '"(),:;<>' or _is_invisible(c) for c in _stripped(text))
    )


def _without_leading_zeros(case: Case) -> str | None:
    """Give their number without the zeros behind the calling code; None when only the code is left."""
    code = str(phonenumbers.country_code_for_region(case.country or ""))
    rest = (case.theirs or "").removeprefix(code)
    return code + rest.lstrip("0") if rest.strip("0") else None


def _is_international(raw: str) -> bool:
    return re.sub(r"[^0-9+]", "", raw).startswith(("+", "00"))


def _digits(text: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in text if unicodedata.category(c) == "Nd")


def _is_gender_word(raw: str) -> bool:
    patterns = [row["pattern"] for row in rows() if row["rule"] == "gender_word"]
    return any(re.fullmatch(f"f|m|{pattern}", letters(raw)) for pattern in patterns)


def _postal(text: str) -> str:
    return letters(unicodedata.normalize("NFKC", text))


RULES: dict[str, Callable[[Case], bool]] = {
    "nothing_left": lambda c: c.ours is None and c.theirs == "",
    "no_letter": lambda c: c.ours is None and not re.search(r"[^\W\d_]", c.theirs or "x"),
    "form_c": lambda c: unicodedata.normalize("NFC", c.theirs or "") == c.ours,
    "no_punctuation": lambda c: letters(c.theirs or "") == c.ours,
    "digits_stay": lambda c: letters(c.raw) == c.ours and letters(c.theirs or "") == _without_digits(c.ours),
    "state_code": lambda c: letters(c.theirs or "") in _subdivision_names(c),
    "dash_removed": lambda c: c.country != "US" and _postal(c.raw) == c.ours,
    "us_five_digits": lambda c: c.country == "US" and c.ours is not None and c.ours == (c.theirs or "")[:5],
    "us_short_code": lambda c: c.country == "US" and c.ours is None and len(_digits(c.raw)) < 5,
    "country_name": lambda c: c.theirs is None and _countries_by_name().get(letters(c.raw)) == c.ours,
    "date_reordered": lambda c: _birthdays(c.raw) == {c.ours},
    "date_not_told": lambda c: c.ours is None and len(_birthdays(c.raw)) != 1,
    "gender_not_told": lambda c: c.ours is None and not _is_gender_word(c.raw),
    "impossible_address": lambda c: c.ours is None and _is_impossible_address(c.theirs or "a@b.c"),
    "invisible_trimmed": lambda c: _stripped(c.theirs or "") == c.ours,
    "looks_like_md5": lambda c: re.fullmatch("[0-9a-f]{32}", c.theirs or "") is not None and c.theirs == c.ours,
    "full_number": lambda c: c.ours is not None and e164(c.raw, c.country) == c.ours,
    "no_country": lambda c: c.ours is None and c.country is None and not _is_international(c.raw),
    "impossible_number": lambda c: c.ours is None and e164(c.raw, c.country) is None,
    "float_text": lambda c: (
        re.fullmatch(r"[+]?[0-9]{7,}[.]0+", c.raw) is not None and e164(c.raw.split(".")[0], c.country) == c.ours
    ),
    "first_of_two": lambda c: e164(re.split("(?<=[0-9])[^0-9]*[+]", c.raw)[0], c.country) == c.ours is not None,
    "leading_zeros": lambda c: _without_leading_zeros(c) == c.ours,
    "calling_code_without_plus": lambda c: c.ours == _digits(c.raw) and e164("+" + c.raw, None) == c.ours,
}
"""Rule -> the test of one case. Which kinds of identifier a rule may excuse stands in the table."""


def rows() -> list[dict[str, str]]:
    """List the differences as the table has them."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def rule_of(case: Case, judge: str) -> str | None:
    """Name the rule that explains a difference, or None; a row with a pattern is a rule for those words alone."""
    for row in rows_of(judge):
        if case.kind not in row["kinds"].split():
            continue
        if row["pattern"]:
            matches = re.fullmatch(row["pattern"], letters(case.raw)) is not None and case.ours == (row["ours"] or None)
        else:
            matches = RULES[row["rule"]](case)
        if matches:
            return row["rule"]
    return None


@cache
def rows_of(judge: str) -> tuple[dict[str, str], ...]:
    """List the differences from one judge, in the order in which they are tried."""
    return tuple(row for row in rows() if row["judge"] == judge)

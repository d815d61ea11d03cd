"""Telephone numbers as people write them: libphonenumber's example numbers of every region, in many forms."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

if TYPE_CHECKING:
    from collections.abc import Iterator

MISSES = Path(__file__).with_name("phone_misses.csv")
KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)

# What people dial before a foreign number, where it is not 00; in Brazil and Korea one of several carriers.
DIALLED_ABROAD = {
    "AU": "0011", "BR": "0015", "CC": "0011", "CL": "1230", "CO": "009", "CU": "119", "CV": "0", "CX": "0011",
    "GY": "001", "HK": "001", "ID": "008", "JP": "010", "KE": "000", "KH": "001", "KR": "00700", "KZ": "810",
    "MN": "001", "NG": "009", "RU": "810", "SG": "001", "TH": "001", "TM": "810", "TW": "002", "TZ": "000",
    "UG": "000", "US": "011", "WS": "0",
}  # fmt: skip


class Written(NamedTuple):
    """A number as it is written: by whom, in which form, the text, and the number that is meant."""

    region: str
    form: str
    text: str
    number: PhoneNumber

    @property
    def meant(self) -> str:
        """Give the digits of the number in E.164, as libphonenumber writes them."""
        return _text(self.number, PhoneNumberFormat.E164)[1:]


def _text(number: PhoneNumber, form: int) -> str:
    return str(phonenumbers.format_number(number, form))


def _parts(text: str) -> list[str]:
    return re.findall("[0-9]+", text)


def _trunk(region: str) -> str:
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    return plan.national_prefix or ""


def _abroad(region: str) -> str:
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    return DIALLED_ABROAD.get("US" if plan.country_code == 1 else region, "00")


def forms(region: str, number: PhoneNumber) -> Iterator[tuple[str, str]]:
    """Yield the forms of one number with their names."""
    national = _text(number, PhoneNumberFormat.NATIONAL)
    international = _text(number, PhoneNumberFormat.INTERNATIONAL)
    code, _, rest = international.partition(" ")
    first, *others = _parts(rest)
    yield from {"national": national, "international": international}.items()
    yield "E.164", _text(number, PhoneNumberFormat.E164)
    yield "00", "00" + _text(number, PhoneNumberFormat.E164)[1:]
    yield "00 and blanks", "00 " + international[1:]
    yield "the region's prefix", f"{_abroad(region)} {international[1:]}"
    for name, sign in {"blanks": " ", "dots": ".", "slashes": "/", "dashes": "-"}.items():
        yield f"national with {name}", sign.join(_parts(national))
        yield f"international with {name}", "+" + sign.join(_parts(international))
    yield "national digits", "".join(_parts(national))
    yield "national in brackets", f"({_parts(national)[0]}) " + " ".join(_parts(national)[1:])
    yield "international in brackets", f"{code} ({first}) {'-'.join(others)}"
    if _trunk(region) == "0":
        yield "trunk zero in brackets", f"{code} (0){rest}"
        yield "trunk zero in brackets with blanks", f"{code} (0) {' '.join(_parts(rest))}"
    yield "no plus", _text(number, PhoneNumberFormat.E164)[1:]
    yield "no plus, with blanks", " ".join(_parts(international))
    yield "tel:", "tel:" + _text(number, PhoneNumberFormat.RFC3966).removeprefix("tel:")
    yield "extension in words", f"{international} ext. 12"
    yield "extension behind x", f"{national} x12"
    yield "extension behind #", f"{national} #12"


@cache
def corpus() -> list[Written]:
    """List every form of the example numbers, mobile and fixed line, of every region."""
    return [
        Written(region, form, text, number)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for number in (phonenumbers.example_number_for_type(region, kind) for kind in KINDS)
        if number is not None
        for form, text in forms(region, number)
    ]


def misses() -> list[dict[str, str]]:
    """List the numbers that the macro reads otherwise than libphonenumber, each with the reason."""
    with MISSES.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))

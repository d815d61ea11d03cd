"""How phone numbers are written in each country: the rows of countries.csv, for make_countries.py.

Source: the metadata of libphonenumber, version 9.0.43 of the package `phonenumbers` (read 2026-11-21), with the
exceptions by hand below, each with its reason.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import phonenumbers

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER: Final = (
    "country_code,calling_code,trunk_prefix,trunk_pattern,trunk_becomes,international_prefix,shapes,code_lengths"
)

# Regions with numbers of their own that ISO 3166-1 only reserves or leaves to its users: Ascension, Tristan da Cunha
# and Kosovo.
BEYOND_ISO: Final = ("AC", "TA", "XK")

# Shorter and longer numbers are possible there, and no person has them: (shortest, longest).
LENGTHS_BY_HAND: Final = {
    "BR": (10, 11),  # shorter service numbers look like area code 55, the calling code, taken off a full number
    "BY": (9, 9),  # free numbers begin with the 80 that is dialled before the others
    "CN": (10, 12),  # a local number without its area code reaches nobody
    "KR": (8, 14),  # service numbers have five or six digits
    "KZ": (10, 10),  # 14 digits are for machines, and look like 8 10 and a full number
    "RU": (10, 10),
}

# Mexico dropped 01, 044, 045 and the 1 behind its calling code on 2019-08-03 (Mexico News Daily,
# https://mexiconewsdaily.com/?p=85760, read 2026-11-21), and the metadata has forgotten them; address books have not.
# Argentina's pattern names every area code to find the 15 behind it; its place tells as much, and a short pattern is
# read faster.
TRUNK_PATTERNS_BY_HAND: Final = {"AR": r"0?(?:(11|[23]\d{2,3})15)?", "MX": "01|04[45]|1"}

# How many digits of a number are looked at: calling codes have at most three.
LEADING: Final = 3

Shapes: TypeAlias = "set[tuple[str, int]]"
"""The first digits of numbers, and how many digits the numbers have."""


def _joined(left: Shapes, right: Shapes) -> Shapes:
    """Give the shapes of a number of one kind behind a number of another."""
    lengths = {n for _, n in right}
    behind = {(a, m + n) for a, m in left if len(a) == LEADING for n in lengths}
    return behind | {((a + b)[:LEADING], m + n) for a, m in left if len(a) < LEADING for b, n in right}


def _members(items: Iterable[tuple[Any, Any]]) -> Shapes:
    """Give the shapes of a class of digits: single ones, a range, or all of them."""
    found: set[int] = set()
    for kind, value in items:
        if str(kind) == "LITERAL":
            found.add(value - ord("0"))
        elif str(kind) == "RANGE":
            found.update(range(value[0] - ord("0"), value[1] - ord("0") + 1))
        else:
            found.update(range(10))
    return {(str(digit), 1) for digit in found}


def _repeated(shapes: Shapes, least: int, most: int) -> Shapes:
    """Give the shapes of so many numbers in a row."""
    found: Shapes = set()
    row: Shapes = {("", 0)}
    for count in range(most + 1):
        found |= row if count >= least else set()
        row = _joined(row, shapes)
    return found


def _shapes(parts: Iterable[tuple[Any, Any]]) -> Shapes:
    """Give the shapes of all numbers that a parsed pattern matches."""
    found: Shapes = {("", 0)}
    for kind, value in parts:
        match str(kind):
            case "LITERAL":
                found = _joined(found, _members([(kind, value)]))
            case "IN":
                found = _joined(found, _members(value))
            case "SUBPATTERN":
                found = _joined(found, _shapes(value[3]))
            case "BRANCH":
                found = _joined(found, {shape for branch in value[1] for shape in _shapes(branch)})
            case "MAX_REPEAT":
                found = _joined(found, _repeated(_shapes(value[2]), value[0], value[1]))
            case _:
                raise ValueError(f"a pattern of the metadata has a part of another kind: {kind}")
    return found


def _number_shapes(code: str, plan: phonenumbers.PhoneMetadata) -> Shapes:
    """Give the shapes of a country's numbers, and of those of the main country of its calling code."""
    main_code = phonenumbers.region_code_for_country_code(plan.country_code)
    main = phonenumbers.PhoneMetadata.metadata_for_region(main_code, None)
    lengths = set(plan.general_desc.possible_length) & set(main.general_desc.possible_length)
    parse = importlib.import_module("re._parser").parse
    shapes = {s for part in (plan, main) for s in _shapes(parse(part.general_desc.national_number_pattern))}
    shortest, longest = LENGTHS_BY_HAND.get(code, (1, 17))
    return {(start, n) for start, n in shapes if n in lengths and shortest <= n <= longest}


def _with_one_group(pattern: str, kept: int) -> str:
    """Leave one group of a pattern that captures; the others only hold together."""
    parts = pattern.replace("(?:", "\0").split("(")
    numbered = enumerate(parts[1:], 1)
    opened = "".join(("(" if number == kept else "(?:") + part for number, part in numbered)
    return (parts[0] + opened).replace("\0", "(?:")


def _trunk(code: str, plan: phonenumbers.PhoneMetadata) -> list[str]:
    """Give the trunk prefix, the pattern of what is dialled in its place, and what becomes of the pattern's group."""
    prefix = plan.national_prefix or ""
    pattern = TRUNK_PATTERNS_BY_HAND.get(code, plan.national_prefix_for_parsing or "")
    if pattern == prefix:
        return [prefix, "", ""]
    before, _, group = (plan.national_prefix_transform_rule or "").partition("\\")
    kept = int(group or 0)
    return [prefix, _with_one_group(pattern, kept), f"{before}*" if kept else ""]


def _listed(texts: Iterable[str]) -> str:
    """Join texts in such a way that SQL finds each by itself, with a bar before and behind it."""
    return "".join(f"|{text}" for text in texts) + "|"


def phone_plan(code: str) -> list[str]:
    """Give a country's row without its code; empty cells where there are no telephones or no such thing."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(code, None)
    if plan is None:
        return [""] * HEADER.count(",")
    calling_code = str(plan.country_code)
    shapes = _number_shapes(code, plan)
    firsts = sorted({(n, start[0]) for start, n in shapes})
    return [
        calling_code,
        *_trunk(code, plan),
        "" if plan.international_prefix == "00" else plan.international_prefix,
        _listed(f"{n}:{digit}" for n, digit in firsts),
        _listed(str(n) for n in sorted({n for start, n in shapes if start.startswith(calling_code)})),
    ]

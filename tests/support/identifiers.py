"""Normalizes and hashes raw identifiers with the project's macros and seeds, the way the models do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.support.macro_renderer import run

if TYPE_CHECKING:
    from collections.abc import Sequence

META_KEYS = {
    "city": "ct",
    "country": "country",
    "date_of_birth": "db",
    "email": "em",
    "external_id": "external_id",
    "first_name": "fn",
    "gender": "ge",
    "last_name": "ln",
    "phone": "ph",
    "postal_code": "zp",
    "region": "st",
}
"""Column of the raw orders -> Meta's key."""

PHONE_PLAN = (
    *("calling_code", "trunk_prefix", "trunk_pattern", "trunk_becomes", "international_prefix"),
    *("shapes", "code_lengths"),
)
"""What phone_plan() gives."""

ARGUMENTS = {
    "country": "country_names.country_code",
    "phone": ", ".join(f"countries.{column}" for column in PHONE_PLAN),
    "postal_code": "country_names.country_code",
    "region": "regions.region_code",
}

MACROS = {"first_name": "name", "last_name": "name"}


class Raw(NamedTuple):
    """A raw identifier and the raw country of its order."""

    kind: str
    value: str | None
    country: str | None


class Result(NamedTuple):
    """Its normal form and its hash."""

    normalized: str | None
    sha256: str | None


def _branches(make: str) -> str:
    """One branch per kind: a macro's call with the columns that the kind needs."""
    calls = []
    for kind in META_KEYS:
        extra = "".join(f", '{argument.strip()}'" for argument in ARGUMENTS.get(kind, "").split(",") if argument)
        calls.append(f"when '{kind}' then " + make.format(macro=MACROS.get(kind, kind), extra=extra))
    return " ".join(calls)


SQL = f"""
select
    case given.kind {_branches("{{{{ normalize_{macro}('given.value'{extra}) }}}}")} end as normalized,
    case given.kind {_branches("{{{{ hashed('{macro}', 'given.value'{extra}) }}}}")} end as sha256
from given
left join country_names
    on country_names.name_key = {{{{ country_key("case when kind = 'country' then value else country end") }}}}
left join countries on countries.country_code = country_names.country_code
left join regions
    on regions.country_code = country_names.country_code
    and given.kind = 'region'
    and regions.name_key = {{{{ name_key('given.value') }}}}
order by given.position
"""


def normalize(rows: Sequence[Raw], adapter: str = "duckdb") -> list[Result]:
    """Give normal form and hash of each raw value, in the same order."""
    return [Result(*row) for row in run(SQL, rows, Raw._fields, adapter)]


def unescaped(text: str) -> str:
    r"""Read the \uXXXX that tables hold for characters that nobody can see."""
    return re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)

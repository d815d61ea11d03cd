"""The SQL that stands for Meta's SDK in the conformance report, beside the SDK itself."""

from __future__ import annotations

import csv
import random
import string

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize
from facebook_business.adobjects.serverside.user_data import UserData

from tests.support.identifiers import META_KEYS, unescaped
from tests.support.macro_renderer import ROOT, evaluate

ADAPTERS = ("duckdb", "postgres", "spark")
PIECES = (
    *"aZéß0129 .,-_@+()#/'\"\\\n\t\x01\x1c\x7f\x85\u00a0\u200b\u2003\u3000\ufeff\u0301😀٣१𝟘İΣ年",
    *("00", "@x.de", "+49", "1997", "us", "DE", "ΠΟΣ", "f" * 32, "0a" * 32),
)
DIGITS = "0123456789 +-()"


def _sdk(field: str, value: str) -> str | None:
    """What it hashes or passes; None where it refuses the value."""
    try:
        return Normalize.normalize_field_skip_hashing(META_KEYS[field], value)
    except (TypeError, ValueError):
        return None


@pytest.fixture(scope="module")
def values() -> list[str]:
    """Ten thousand: the hand-picked ones, the demo shop's, each pair of letters, and random ones that look damaged."""
    dice = random.Random(20261121)
    found = {a + b for a in string.ascii_letters for b in string.ascii_lowercase}
    found |= {"".join(dice.choices(PIECES, k=dice.randrange(1, 14))) for _ in range(4_000)}
    found |= {"".join(dice.choices(DIGITS, k=dice.randrange(5, 20))) for _ in range(4_000)}
    for path in ("tests/support/international_values.csv", "seeds/identifier_vectors.csv", "seeds/demo/orders.csv"):
        with (ROOT / path).open(newline="", encoding="utf-8") as file:
            found |= {unescaped(text) for row in csv.DictReader(file) for text in row.values()}
    return sorted(found - {""})


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("field", [field for field in META_KEYS if field != "external_id"])
def test_the_sql_agrees_with_the_sdk_on_every_value(field: str, adapter: str, values: list[str]) -> None:
    """Where the SDK raises an error the SQL gives NULL, and the same text everywhere else, the empty one included."""
    assert len(values) > 10_000
    found = evaluate(f"{{{{ sdk_form('{field}', 'e') }}}}", values, adapter)
    wrong = [(value, ours, _sdk(field, value)) for value, ours in zip(values, found, strict=True)]
    assert [case for case in wrong if case[1] != case[2]] == []


def test_the_sdk_does_not_touch_an_external_id() -> None:
    """It passes as it is, and in clear."""
    given = [" C-1 ", "Ä"]
    sent = [UserData(external_id=value).normalize()["external_id"][0] for value in given]
    assert evaluate("{{ sdk_form('external_id', 'e') }}", given) == sent == given

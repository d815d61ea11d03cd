"""The outside judge of identifiers: Meta's own Python SDK, and libphonenumber for phone numbers.

`pytest -rP tests/destinations/test_identifiers_against_sdk.py` shows the counts.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize

from tests.support.deliberate_differences import RULES, Case, e164, rows, rule_of
from tests.support.identifiers import META_KEYS, Raw, normalize, unescaped
from tests.support.macro_renderer import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

OLIST = ROOT.parent / "shared" / "data" / "olist" / "make_raw.py"
DEMO = ROOT / "seeds" / "demo"
HAND_PICKED = ROOT / "tests" / "support" / "international_values.csv"


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _hand_picked() -> list[tuple[Raw, str | None]]:
    return [
        (Raw(row["kind"], unescaped(row["raw"]), row["country"] or None), row["normalized"] or None)
        for row in _read(HAND_PICKED)
    ]


def _identifiers(folder: Path) -> list[Raw]:
    """List each distinct identifier of a shop's orders, with the country of the order, else of its session."""
    sessions = {row["session_id"]: row.get("country_code") for row in _read(folder / "sessions.csv")}
    found: set[Raw] = set()
    for order in _read(folder / "orders.csv"):
        country = order.get("country_code") or sessions.get(order["session_id"]) or None
        values = {**order, "country": country, "external_id": order["customer_id"]}
        found |= {Raw(kind, values[kind], country) for kind in META_KEYS if values.get(kind)}
    return sorted(found, key=str)


def _olist(folder: Path) -> list[Raw]:
    if not OLIST.exists():
        pytest.skip(f"the Olist orders are not beside this checkout ({OLIST.parent})")
    subprocess.run([sys.executable, OLIST, folder], check=True, capture_output=True)
    return _identifiers(folder)


def _sdk(raw: Raw) -> tuple[str | None, str | None]:
    """Normal form and hash by the SDK; both None where it refuses the value."""
    try:
        key, value = META_KEYS[raw.kind], raw.value
        return Normalize.normalize_field_skip_hashing(key, value), Normalize.normalize_field(key, value)
    except (TypeError, ValueError):
        return None, None


def _cases(values: list[Raw]) -> Iterable[tuple[Raw, Case, bool]]:
    """Yield each value, both normal forms with the country as a code, and whether the two hashes are equal."""
    known = {country for _, _, country in values if country}
    codes = dict(zip(known, normalize([Raw("country", country, None) for country in known]), strict=True))
    for raw, ours in zip(values, normalize(values), strict=True):
        theirs, sha256 = _sdk(raw)
        country = (codes[raw.country].normalized or "").upper() or None if raw.country else None
        yield raw, Case(raw.kind, raw.value or "", country, ours.normalized, theirs), sha256 == ours.sha256


def _judge(values: list[Raw]) -> tuple[Counter[str], list[Case]]:
    """Count values per verdict, and list the differences that no rule explains."""
    counts: Counter[str] = Counter()
    unexplained = []
    for _, case, is_equal in _cases(values):
        agreed = "equal" if case.ours else "neither"
        verdict = agreed if is_equal else rule_of(case, "sdk")
        counts[verdict or "unexplained"] += 1
        if verdict is None:
            unexplained.append(case)
    return counts, unexplained


def _report(name: str, counts: Counter[str]) -> None:
    agreed = f"{counts['equal']} equal, {counts['neither']} that both refuse"
    different = {rule: count for rule, count in sorted(counts.items()) if rule not in ("equal", "neither")}
    sys.stdout.write(f"{name}: {counts.total()} compared, {agreed}, {sum(different.values())} deliberately different\n")
    for rule, count in different.items():
        sys.stdout.write(f"  {rule}: {count}\n")


def test_hand_picked_values_have_the_documented_form() -> None:
    """Each value of the table has the normal form that was written down from Meta's document."""
    table = _hand_picked()
    found = normalize([raw for raw, _ in table])
    wrong = [
        (raw, ours.normalized, form) for (raw, form), ours in zip(table, found, strict=True) if ours.normalized != form
    ]
    assert wrong == []
    assert len(table) >= 150


@pytest.mark.parametrize("source", ["hand-picked", "demo", "olist"])
def test_each_hash_is_that_of_the_sdk_or_differs_by_a_listed_rule(source: str, tmp_path: Path) -> None:
    """No identifier hashes to anything else than Meta's SDK makes of it, unless Meta's document says so."""
    if source == "hand-picked":
        values = [raw for raw, _ in _hand_picked()]
    else:
        values = _identifiers(DEMO) if source == "demo" else _olist(tmp_path)
    counts, unexplained = _judge(values)
    _report(source, counts)
    assert unexplained == []


def test_phone_numbers_are_those_of_libphonenumber() -> None:
    """The hand-picked numbers agree with libphonenumber, or differ by a listed rule."""
    phones = [raw for raw, _ in _hand_picked() if raw.kind == "phone"]
    counts: Counter[str] = Counter()
    for _, case, _ in _cases(phones):
        judged = case._replace(theirs=e164(case.raw, case.country))
        counts["equal" if judged.ours == judged.theirs else str(rule_of(judged, "libphonenumber"))] += 1
    _report("libphonenumber", counts)
    assert counts["None"] == 0


@pytest.fixture(scope="module")
def examples() -> list[Case]:
    """Give each listed difference's example as a case, in the table's order."""
    values = [Raw(row["kinds"].split()[0], unescaped(row["example"]), row["country"] or None) for row in rows()]
    return [case for _, case, _ in _cases(values)]


@pytest.mark.parametrize("position", range(len(rows())), ids=lambda i: f"{rows()[i]['rule']}-{rows()[i]['example']}")
def test_each_listed_difference_is_real(position: int, examples: list[Case]) -> None:
    """The example of a rule has both normal forms as the table says, and the rule explains it."""
    row, case = rows()[position], examples[position]
    if row["judge"] == "libphonenumber":
        case = case._replace(theirs=e164(case.raw, case.country))
    assert (case.ours or "", case.theirs or "") == (row["ours"], unescaped(row["theirs"]))
    assert rule_of(case, row["judge"]) == row["rule"]


def test_each_rule_has_its_place_in_the_table() -> None:
    """A rule without a row could excuse a difference that nobody can read about."""
    assert {row["rule"] for row in rows() if not row["pattern"]} == set(RULES)
    assert all(row["document_rule"] and row["source"] and row["read_on"] for row in rows())

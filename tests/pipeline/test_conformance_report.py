"""The report of identifiers: each raw value judged once, beside what Meta's SDK itself makes of it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from facebook_business.adobjects.serverside.normalize import Normalize
from facebook_business.adobjects.serverside.user_data import UserData

from tests.support.dbt_project import build, order, rows
from tests.support.identifiers import META_KEYS, unescaped
from tests.support.macro_renderer import ROOT, evaluate
from tests.support.shop import Shop

TABLE = ROOT / "tests" / "support" / "international_values.csv"
NO_CONTACT = dict.fromkeys(("email", "country_code"), "")
CODED = ("country", "gender", "region")


def _sdk(field: str, value: str) -> str | None:
    try:
        return Normalize.normalize_field_skip_hashing(META_KEYS[field], value)
    except (TypeError, ValueError):
        return None


def _verdict(field: str, value: str, ours: str | None) -> str:
    """Compare what leaves: our hash with the SDK's, which is the value itself where it does not hash."""
    theirs = _sdk(field, value)
    if ours is None or theirs is None:
        return {(True, True): "neither_sends", (True, False): "only_sdk_sends"}.get(
            (ours is None, theirs is None), "sdk_refuses"
        )
    is_same = Normalize.hash_sha_256(ours) == Normalize.normalize_field(META_KEYS[field], value)
    return "same_as_sdk" if is_same else "differs_from_sdk"


def _staged(values: list[str]) -> list[str | None]:
    """Trim as the raw tables are read, before anything is normalized."""
    trimmed = "{{ regexp_remove('e', '^[' ~ blank_characters() ~ ']+|[' ~ blank_characters() ~ ']+$') }}"
    return [text or None for text in evaluate(trimmed, values)]


def _table() -> list[tuple[str, str, str, str | None]]:
    """List field, raw value, country and normal form of the hand-picked values that have a value."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        picked = [row for row in csv.DictReader(file) if row["kind"] not in ("country", "external_id")]
    staged = _staged([unescaped(row["raw"]) for row in picked])
    return [
        (row["kind"], raw, row["country"], row["normalized"] or None)
        for row, raw in zip(picked, staged, strict=True)
        if raw
    ]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a shop of which each order has one of the values."""
    orders = [
        order(str(number), **NO_CONTACT | {"country_code": country, field: raw})
        for number, (field, raw, country, _) in enumerate(_table())
    ]
    return build(tmp_path_factory.mktemp("identifiers"), {"orders": orders})


@pytest.fixture(scope="module")
def compared(warehouse: Path) -> list[dict[str, object]]:
    """Give the values of the fields that the table has, as the report judged them."""
    return rows(
        warehouse,
        "select * from int_identifiers__compared where is_filled and field not in ('country', 'external_id')",
    )


def test_each_value_has_the_verdict_that_the_sdk_itself_gives(compared: list[dict[str, object]]) -> None:
    """The macros that stand for the SDK agree with it, and the comparison is that of the hashes."""
    expected = {(field, raw, form, _sdk(field, raw), _verdict(field, raw, form)) for field, raw, _, form in _table()}
    columns = ("field", "raw_value", "sent_value", "sdk_value", "sdk_verdict")
    assert {tuple(row[name] for name in columns) for row in compared} == expected
    assert len({verdict for *_, verdict in expected}) == 5


def test_whatever_changed_has_a_rule(compared: list[dict[str, object]]) -> None:
    """A value is unchanged exactly when no rule claims it, and what became a code has that rule alone."""
    for row in compared:
        rules = {name for name, value in row.items() if name.startswith("changed_by_") and value}
        assert bool(rules) == (row["is_valid"] and row["sent_value"] != row["raw_value"]), row
        assert "changed_by_other" not in rules, row
        assert "changed_by_code" not in rules or (len(rules) == 1 and row["field"] in CODED), row


def test_the_counts_are_those_of_the_values(warehouse: Path) -> None:
    """The mart counts events: as many per field, measure by measure, as the table has values."""
    expected: Counter[tuple[str, str]] = Counter()
    for field, raw, _, form in _table():
        expected[field, "filled"] += 1
        expected[field, "valid" if form else "invalid"] += 1
        expected[field, "unchanged"] += form == raw
        expected[field, _verdict(field, raw, form)] += 1
    measures = "('filled', 'valid', 'invalid', 'unchanged') or measure like '%sdk%' or measure = 'neither_sends'"
    found = rows(
        warehouse,
        "select field, measure, event_count from audit_identifiers"
        f" where field not in ('country', 'external_id') and (measure in {measures})",
    )
    assert {(row["field"], row["measure"]): row["event_count"] for row in found} == dict(+expected)


def test_an_external_id_is_sent_in_clear_by_the_sdk(warehouse: Path) -> None:
    """The SDK does not hash it, so no hash can be compared."""
    assert UserData(external_id=" C-1").normalize()["external_id"] == [" C-1"]
    found = rows(warehouse, "select measure, event_count from audit_identifiers where field = 'external_id'")
    counts = {row["measure"]: row["event_count"] for row in found}
    assert counts["sdk_sends_clear"] == counts["valid"] == counts["events"] == len(_table())


def _counted(shop: Shop, *found: tuple[str, str, str, int]) -> None:
    shop.sql("create table audit_identifiers (source_table text, field text, measure text, event_count bigint)")
    for row in found:
        shop.sql(f"insert into audit_identifiers values {row}")


def test_the_report_is_printed_and_judges_nothing(shop: Shop) -> None:
    """Coverage, validity, rules and the comparison are shown; the gate does not run, whatever it would say."""
    _counted(
        shop,
        *[("orders", "phone", name, count) for name, count in (("events", 2000), ("filled", 1200), ("valid", 1199))],
        *[("orders", "phone", name, count) for name, count in (("invalid", 1), ("changed_by_trunk_prefix", 700))],
        *[("leads", "phone", name, 10) for name in ("events", "filled", "valid", "unchanged", "differs_from_sdk")],
    )
    code, out = shop.run("check", "--identifiers")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert code == 0
    assert "phone 1,210 60.20% 1,209 99.92% 1 0" in lines
    assert "phone 10 trunk prefix 700" in lines
    assert "phone 0 10 0 0 0 0" in lines
    assert "leads.phone 10 10 100.00% 10 100.00%" in lines
    assert not (shop.folder / "target" / "uploader").exists()


def test_a_program_reads_every_measure(shop: Shop) -> None:
    """JSON has the sum and each raw table, with zeros."""
    _counted(shop, ("orders", "email", "events", 3), ("leads", "email", "events", 2), ("leads", "email", "filled", 1))
    code, told = shop.json("check", "--identifiers")
    email = told["fields"]["email"]
    assert (code, email["events"], email["filled"], email["sdk_refuses"]) == (0, 5, 1, 0)
    assert told["sources"]["orders"]["email"]["filled"] == 0
    assert len(email) == 24


def test_without_events_or_table_the_report_says_so(shop: Shop) -> None:
    """An older build has no such table; an empty shop has no identifiers; a destination has no part in it."""
    code, _ = shop.run("check", "--identifiers")
    assert (code, "audit_identifiers. Run `dbt build`." in shop.error) == (78, True)
    _counted(shop)
    code, out = shop.run("check", "--identifiers")
    assert (code, "There are no events" in out) == (0, True)
    assert shop.run("check", "--identifiers", "--destination", "meta")[0] == 64

"""The macros that normalize and hash identifiers, with their seeds: the same on each warehouse, never a bad hash."""

from __future__ import annotations

import csv
import hashlib
import random
import re
import unicodedata

import pytest

from tests.support.identifiers import ARGUMENTS, MACROS, META_KEYS, PHONE_PLAN, Raw, normalize, unescaped
from tests.support.macro_renderer import ROOT, evaluate, render, run

ADAPTERS = ("duckdb", "postgres", "spark")
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
SHAPES = {
    "city": r"\S+",
    "country": r"[a-z]{2}",
    "date_of_birth": r"(19|20)[0-9]{6}",
    "email": r"[^@\s]+@[^@\s]+\.[^@\s]+",
    "external_id": r"\S(.*\S)?",
    "first_name": r"\S+",
    "gender": "[fm]",
    "last_name": r"\S+",
    "phone": "[0-9]{7,15}",
    "postal_code": r"\S+",
    "region": r"\S+",
}


def _rows(path: str) -> list[dict[str, str]]:
    with (ROOT / path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _is_form_c(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


@pytest.fixture(scope="module")
def nasty() -> list[Raw]:
    """Two thousand damaged values: quotes, newlines, NUL, emoji, controls, and one of 10,000 characters per kind."""
    dice = random.Random(20261120)
    pieces = [
        *"aZé0129 .,-_@+()#/'\"\\\n\t\0\x01\x7f\u00a0\u200b\ufeff\u0301😀٣İß年",
        "00",
        "@x.de",
        "+49",
        "1997",
        "Feb",
        "%",
        "$1",
        "\\1",
    ]
    values = ["".join(dice.choices(pieces, k=dice.randrange(1, 14))) for _ in range(180)]
    return [
        Raw(kind, value, dice.choice(["DE", "US", "IT", "", None]))
        for kind in META_KEYS
        for value in [*values, "x" * 10_000, "1" * 10_000, "@" * 10_000, " " * 10_000, "", None]
    ]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_each_warehouse_gives_the_documented_normal_forms(adapter: str) -> None:
    """The international values have one normal form, whatever the warehouse; Spark cannot make form C."""
    table = _rows("tests/support/international_values.csv")
    values = [Raw(row["kind"], unescaped(row["raw"]), row["country"] or None) for row in table]
    found = normalize(values, adapter)
    wrong = [
        (raw, ours.normalized)
        for raw, ours, row in zip(values, found, table, strict=True)
        if ours.normalized != (row["normalized"] or None) and (adapter != "spark" or _is_form_c(raw.value or ""))
    ]
    assert wrong == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_each_warehouse_gives_the_hashes_of_the_vectors(adapter: str) -> None:
    """The query that dbt runs on the warehouse finds no vector with another hash."""
    query = (ROOT / "tests/sql/macros/normalizers_match_vectors.sql").read_text(encoding="utf-8")
    vectors = [row for row in _rows("seeds/identifier_vectors.csv") if adapter != "spark" or _is_form_c(row["raw"])]
    columns = tuple(vectors[0])
    given = [[row[column] or None for column in columns] for row in vectors]
    assert run(query.replace("ref('identifier_vectors')", "ref('given')"), given, columns, adapter) == []


def test_metas_own_examples_are_among_the_vectors() -> None:
    """The seven examples of Meta's page, with its hashes, which are those of the normal forms."""
    found = [(row["kind"], row["normalized"], row["sha256"][:8]) for row in _rows("seeds/identifier_vectors.csv")[:7]]
    assert found == [
        ("email", "john_smith@gmail.com", "62a14e44"),
        ("phone", "16505551212", "e323ec62"),
        ("first_name", "mary", "6915771b"),
        ("first_name", "정", "8fa8cd9c"),
        ("first_name", "valéry", "08e1996b"),
        ("date_of_birth", "19970216", "01acdbf6"),
        ("country", "us", "79adb2a2"),
    ]


DOCUMENTED = {
    # Google: Data Manager API, formatting of user data.
    ("email_gmail", "alexz@example.com"): "509e9330",
    ("phone_e164", "+18005550100"): "fb4f73a6",
    ("first_name", "givenname"): "128a07bf",
    ("last_name", "familyname"): "77762c28",
    # Microsoft: guide of the UET Conversions API.
    ("email_microsoft", "john@contoso.com"): "ec81f3ac",
    ("phone_e164", "+14255551234"): "c59475d9",
    # Reddit: business help on matching, and its partners' tests.
    ("email_reddit", "Al.ice$+Apple@Example.Com"): "ff8d9819",
    ("email_reddit", "test@test.com"): "f660ab91",
    ("phone_e164", "1-650-555   - 1212 x450"): "1e231c66",
    # TikTok, Snap, X and Pinterest: what their parameters' pages and their partners' tests have.
    ("email", "coreytest1231@gmail.com"): "eb9869a3",
    ("email", "Person@Example.com"): "542d2401",
    ("phone", "+44 844 412 4653"): "dc008fda",
    ("first_name", "Raphaël"): "e74bb89e",
    ("email", "test-email@test.com"): "e586883b",
    ("city", "Kolkata"): "6689106c",
    ("postal_code", "700114"): "1a4292e0",
}
"""Raw values and hashes as the other platforms' documents and libraries have them (read 2026-11-20)."""


def test_the_examples_of_the_other_platforms_are_among_the_vectors() -> None:
    """What their documents and libraries show is what the macros are held to."""
    found = {(row["kind"], row["raw"]): row["sha256"][:8] for row in _rows("seeds/identifier_vectors.csv")}
    assert {key: found.get(key) for key in DOCUMENTED} == DOCUMENTED


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_damaged_values_have_a_normal_form_or_none(nasty: list[Raw], adapter: str) -> None:
    """Nothing crashes; what is hashed has its kind's shape, and the empty text is never hashed."""
    for raw, ours in zip(nasty, normalize(nasty, adapter), strict=True):
        assert ours.sha256 != EMPTY_HASH
        assert ours.normalized is None or re.fullmatch(SHAPES[raw.kind], ours.normalized, re.DOTALL), raw
        expected = ours.normalized and hashlib.sha256(ours.normalized.encode()).hexdigest()
        assert ours.sha256 == expected, raw


def test_a_normal_form_is_its_own_normal_form(nasty: list[Raw]) -> None:
    """Normalizing twice changes nothing (a phone number needs its + again)."""
    once = [
        (raw, ours.normalized) for raw, ours in zip(nasty, normalize(nasty), strict=True) if ours.normalized is not None
    ]
    again = [Raw(raw.kind, f"+{form}" if raw.kind == "phone" else form, raw.country) for raw, form in once]
    twice = [ours.normalized for ours in normalize(again)]
    assert [(raw, new) for (raw, form), new in zip(once, twice, strict=True) if new != form] == []


@pytest.mark.parametrize("kind", META_KEYS)
def test_a_value_that_is_a_hash_already_passes(kind: str) -> None:
    """64 hexadecimal digits are taken for the hash, in lower case; 63 or 65 are not, nor is the hash of nothing."""
    sha256 = hashlib.sha256(b"a@b.com").hexdigest()
    values = [Raw(kind, value, None) for value in (sha256, sha256.upper(), f" {sha256}\n", sha256[1:], sha256 + "0")]
    passed = [result.sha256 == sha256 for result in normalize(values)]
    assert passed == [True, True, True, False, False]
    of_nothing = [Raw(kind, value, None) for value in (EMPTY_HASH, EMPTY_HASH.upper(), f" {EMPTY_HASH}")]
    assert [result.sha256 for result in normalize(of_nothing)] == [None, None, None]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("kind", META_KEYS)
def test_the_sql_of_an_identifier_stays_short(kind: str, adapter: str) -> None:
    """Nested macros do not blow up: each identifier is less than 6 kB of SQL."""
    extra = "".join(f", '{name.strip()}'" for name in ARGUMENTS.get(kind, "").split(",") if name)
    sql = render(f"{{{{ hashed('{MACROS.get(kind, kind)}', 'events.column_name'{extra}) }}}}", adapter)
    assert len(sql) < 6_000


def test_names_lose_punctuation_and_keep_letters() -> None:
    """The fixed list agrees with Unicode: no letter, mark or digit of a living script is dropped, no sign stays."""
    kept, dropped = "LMN", "PSZ"
    characters = [
        chr(code)
        for code in (*range(0x21, 0x370), *range(0x370, 0x600), *range(0x2000, 0x2070), *range(0x3000, 0x3100))
    ]
    texts = [
        c for c in characters if unicodedata.is_normalized("NFC", c) and unicodedata.category(c)[0] in kept + dropped
    ]
    found = evaluate("{{ name_key('e') }}", texts)
    wrong = {
        text for text, key in zip(texts, found, strict=True) if (key is None) == (unicodedata.category(text)[0] in kept)
    }
    # Modifier letters, which stand for apostrophes and accents; two signs of old Greek and Cyrillic.
    assert {text for text in wrong if unicodedata.category(text) != "Lm"} <= set("΄΅϶҂")


@pytest.mark.parametrize("seed", ["country_names", "regions"])
def test_the_keys_of_seeds_are_what_the_macro_makes(seed: str) -> None:
    """Each key is its own key, else no raw name could ever meet it."""
    keys = [row["name_key"] for row in _rows(f"seeds/{seed}.csv")]
    found = evaluate("{{ name_key('e') }}", keys)
    assert [(key, made) for key, made in zip(keys, found, strict=True) if key != made] == []
    assert len(set(map(str, _rows(f"seeds/{seed}.csv")))) == len(keys)


def test_the_run_s_day_is_the_last_birthday() -> None:
    """A person is born on the day of the run at the latest; the day is that of as_of."""
    call, settings = "{{ normalize_date_of_birth('e') }}", {"as_of": "2026-02-01T23:30:00-05:00"}
    assert "between '1900-01-01' and '2026-02-02'" in render(call, settings=settings)
    assert evaluate(call, ["2026-11-20", "2026-11-21", "1900-01-01", "1899-12-31"]) == [
        "20261120",
        None,
        "19000101",
        None,
    ]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_column_may_be_called_like_the_identifier(adapter: str) -> None:
    """The names that macros give to values on the way are not those of the columns that they are called with."""
    plan = ", ".join(f"'{column}'" for column in PHONE_PLAN)
    arguments = {"phone": f"'phone', {plan}", "postal_code": "'postal_code', 'country'", "gender": "'gender'"}
    calls = ", ".join(f"{{{{ normalize_{kind}({given}) }}}}" for kind, given in arguments.items())
    columns = ("phone", *PHONE_PLAN, "postal_code", "country", "gender")
    row = ("0171 1234567", "49", "0", None, None, None, "|10:1|", None, "94035-1234", "US", "Frau")
    assert run(f"select {calls} from given", [row], columns, adapter) == [("491711234567", "94035", "f")]

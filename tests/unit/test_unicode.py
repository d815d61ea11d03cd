"""Case, form C and blanks: where the warehouses differ, and that the macros make them the same.

PostgreSQL is the real one, in two databases: one of the locale C, whose own functions know ASCII alone, and one of
ICU. Spark does not run here: its SQL is rendered and translated, as everywhere in these tests. That it cannot make
form C is from its issue SPARK-58275, which adds a function for it in 4.4 (read 2026-11-21).
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.support.macro_renderer import ROOT, evaluate, render
from tests.support.postgres import ADMIN

if TYPE_CHECKING:
    from tests.support.postgres import Server

Evaluate = Callable[[str, Sequence[str]], list[Any]]

EVERY_CHARACTER = [
    character
    for character in map(chr, range(1, 0x20000))
    if unicodedata.category(character) not in ("Cs", "Cn", "Co")
    and not unicodedata.name(character, "").startswith(("CJK UNIFIED", "HANGUL SYLLABLE", "TANGUT", "CUNEIFORM"))
]
"""Each that is assigned, but for the large sets of signs that have neither case nor marks."""
DOTTED, SIGMA, FORM_D = "İ", "ΟΔΟΣ", "e\u0301"
BLANKS = ("\u00a0a", "\u2003a", "\u200ba", "\ta")


def _in_postgres(url: str, expression: str, values: Sequence[str]) -> list[Any]:
    """Give an expression's value for each text in column e, on the server."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("create temporary table given (position int, e text)")
        with cursor.copy("copy given from stdin") as copy:
            for row in enumerate(values):
                copy.write_row(row)
        query = f"select {render(expression, 'postgres')} from given order by position"
        return [value for (value,) in cursor.execute(query.encode()).fetchall()]


@pytest.fixture(scope="module")
def engines(postgres: Server) -> dict[str, Evaluate]:
    """Give what evaluates a macro: two databases of a real PostgreSQL, DuckDB, and Spark's SQL translated."""
    postgres.admin("create database icu template template0 locale_provider icu icu_locale 'und' encoding 'UTF8'")
    return {
        "duckdb": evaluate,
        "postgres, locale C": partial(_in_postgres, postgres.url("postgres", ADMIN)),
        "postgres, ICU": partial(_in_postgres, postgres.url("icu", ADMIN)),
        "spark": partial(evaluate, adapter="spark"),
    }


def test_their_own_lower_case_differs(engines: dict[str, Evaluate]) -> None:
    """The dotted I loses its dot or stays, the sigma has its final form or not, and the locale C knows no Ä."""
    found = {name: engines[name]("lower(e)", [DOTTED, SIGMA, "Ä"]) for name in engines if name != "spark"}
    assert found == {
        "duckdb": ["i", "οδοσ", "ä"],
        "postgres, locale C": [DOTTED, SIGMA, "Ä"],
        "postgres, ICU": ["i\u0307", "οδος", "ä"],
    }


def test_their_own_blanks_differ(engines: dict[str, Evaluate]) -> None:
    r"""trim() takes spaces of Unicode in DuckDB only, \s knows them in ICU only, and nobody's knows zero width."""
    found = {name: engines[name]("trim(e)", BLANKS) for name in engines if name != "spark"}
    assert found == {
        "duckdb": ["a", "a", "\u200ba", "\ta"],
        "postgres, locale C": list(BLANKS),
        "postgres, ICU": list(BLANKS),
    }
    matched = {name: engines[name](r"{{ regexp_matches('e', '\\s') }}", BLANKS) for name in engines if name != "spark"}
    assert matched == {
        "duckdb": [False, False, False, True],
        "postgres, locale C": [False, False, False, True],
        "postgres, ICU": [True, True, False, True],
    }


def test_form_c_is_made_everywhere_but_in_spark(engines: dict[str, Evaluate]) -> None:
    """DuckDB and PostgreSQL agree with Python on each character; Spark has no such function and the text passes."""
    expected = [unicodedata.normalize("NFC", character) for character in EVERY_CHARACTER]
    for name in ("duckdb", "postgres, locale C"):
        assert engines[name]("{{ nfc('e') }}", EVERY_CHARACTER) == expected, name
    found = {name: engine("{{ normalize_name('e') }}", [FORM_D]) for name, engine in engines.items()}
    assert found.pop("spark") == [FORM_D]
    assert set(map(tuple, found.values())) == {("é",)}


@pytest.mark.parametrize("macro", ["lower_text", "lower_words"])
def test_the_macros_make_lower_case_the_same_everywhere(macro: str, engines: dict[str, Evaluate]) -> None:
    """Each character is that of Python's lower() in each warehouse, whatever the locale of its database."""
    expected = [character.lower() for character in EVERY_CHARACTER]
    for name, engine in engines.items():
        found = engine(f"{{{{ {macro}('e') }}}}", EVERY_CHARACTER)
        wrong = [pair for pair in zip(EVERY_CHARACTER, found, expected, strict=True) if pair[1] != pair[2]]
        assert wrong == [], name


def test_a_sigma_has_its_final_form_after_unicode_s_rule(engines: dict[str, Evaluate]) -> None:
    """Twenty thousand words with capitals, marks, apostrophes and other scripts are those of Python's lower()."""
    dice = random.Random(20261121)
    letters = "ΣΣΣΑΒΆΊaZ'.: ·,-/@’\u0301\u0345\u00ad\u200bʼ(1ªß中Ιᾼ\ufeffİ"
    words = ["".join(dice.choices(letters, k=dice.randrange(1, 9))) for _ in range(20_000)]
    expected = [word.lower() for word in words]
    for name, engine in engines.items():
        found = engine("{{ lower_text('e') }}", words)
        assert [pair for pair in zip(words, found, expected, strict=True) if pair[1] != pair[2]] == [], name


def test_blanks_are_the_same_everywhere(engines: dict[str, Evaluate]) -> None:
    """Whatever Unicode or Python call white space goes from both ends, and zero-width characters too."""
    blanks = [c for c in EVERY_CHARACTER if c.isspace() or unicodedata.category(c) in ("Zs", "Zl", "Zp")]
    texts = [f"{blank}a b{blank}" for blank in [*blanks, "\u200b", "\ufeff", "\u2060", "\u00ad"]]
    for name, engine in engines.items():
        assert set(engine("{{ normalize_text('e') }}", texts)) == {"a b"}, name


@pytest.mark.parametrize("macro", ["normalize_name", "name_key", "normalize_email", "normalize_email_microsoft"])
def test_identifiers_are_the_same_everywhere(macro: str, engines: dict[str, Evaluate]) -> None:
    """Each character inside a word has the same fate in each warehouse; in Spark, each that is in form C."""
    end = "@x.de" if "email" in macro else ""
    texts = [f"a{character}B{end}" for character in EVERY_CHARACTER]
    expected = engines["duckdb"](f"{{{{ {macro}('e') }}}}", texts)
    for name, engine in engines.items():
        found = zip(texts, engine(f"{{{{ {macro}('e') }}}}", texts), expected, strict=True)
        wrong = [text for text, form, other in found if form != other]
        assert [text for text in wrong if name != "spark" or unicodedata.is_normalized("NFC", text)] == [], name


def test_no_macro_relies_on_what_differs() -> None:
    r"""No \s, \w or \d, no class of POSIX and no trim() in what normalizes."""
    differing = re.compile(r"\\\\?[swdbSWDB](?![a-z])|\[:[a-z]+:\]|\btrim\((?!leading '0')")
    files = sorted((ROOT / "macros" / "normalize").glob("*.sql"))
    code = {path.name: re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL) for path in files}
    assert len(code) > 20
    assert {name: differing.findall(text) for name, text in code.items() if differing.search(text)} == {}

"""E-mail addresses and phones as platforms other than Meta want them, beside each platform's rule written in Python."""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable

import pytest

from tests.support.macro_renderer import evaluate, run

ADAPTERS = ("duckdb", "postgres", "spark")
HASH = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"


def _gmail(local: str, domain: str) -> str:
    """Cut a +alias and the dots in Google's own two domains."""
    return local.split("+", maxsplit=1)[0].replace(".", "") if domain in ("gmail.com", "googlemail.com") else local


def _microsoft(local: str, _domain: str) -> str:
    """Cut a +alias and the dots in every domain."""
    return local.split("+", maxsplit=1)[0].replace(".", "")


def _reddit(local: str, _domain: str) -> str:
    """Cut a +alias and whatever is no letter, mark or digit."""
    return "".join(c for c in local.split("+", maxsplit=1)[0] if unicodedata.category(c)[0] in "LMN")


def _plain(text: str) -> str:
    """Take the accents from Latin letters, as Unicode decomposes them."""
    return unicodedata.normalize("NFC", re.sub("(?<=[a-z])[\u0300-\u036f]+", "", unicodedata.normalize("NFD", text)))


RULES: dict[str, tuple[Callable[[str, str], str], Callable[[str], str]]] = {
    "email_gmail": (_gmail, str),
    "email_microsoft": (_microsoft, _plain),
    "email_reddit": (_reddit, str),
}


@pytest.fixture(scope="module")
def addresses() -> list[str]:
    """Give normalized addresses of every odd kind."""
    dice = random.Random(20261121)
    pieces = ("a", "é", "ñ", "ễ", "ø", "ß", "1", ".", "..", "+", "-", "_", "'", "$", "%", "名", "й")
    domains = ("gmail.com", "googlemail.com", "gmail.com.br", "mail.gmail.com", "contoso.com", "müller.de", "x-1.co")
    made = {f"{''.join(dice.choices(pieces, k=dice.randrange(1, 9)))}@{dice.choice(domains)}" for _ in range(3_000)}
    return sorted(made)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("kind", RULES)
def test_each_variant_is_the_platform_s_rule(kind: str, adapter: str, addresses: list[str]) -> None:
    """Three thousand addresses agree with the rule as its document says it; without a local part there is none."""
    local_part, letters = RULES[kind]
    expected = []
    for address in addresses:
        local, domain = letters(address).split("@")
        rest = local_part(local, domain)
        expected.append(f"{rest}@{domain}" if rest else None)
    assert evaluate(f"{{{{ normalize_{kind}('e') }}}}", addresses, adapter) == expected
    assert None in expected or kind == "email_gmail"


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("kind", RULES)
def test_what_is_no_address_has_no_variant(kind: str, adapter: str) -> None:
    """The rules of addresses come first; a hash of the source passes, because it cannot be told which form it has."""
    broken = ["us er@gmail.com", "a@b.com,c@d.com", "nobody", "", " ", None, "+x@gmail.com" * 2]
    assert evaluate(f"{{{{ hashed('{kind}', 'e') }}}}", broken, adapter) == [None] * len(broken)
    assert evaluate(f"{{{{ hashed('{kind}', 'e') }}}}", [f" {HASH.upper()}"], adapter) == [HASH]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_every_accented_letter_of_latin_script_is_known(adapter: str) -> None:
    """The list agrees with Unicode: a-z with marks lose them, and no other letter changes."""
    letters = [c for c in map(chr, range(0x61, 0x2C00)) if unicodedata.category(c) == "Ll"]
    letters = [c for c in letters if unicodedata.is_normalized("NFC", c)]
    assert evaluate("{{ without_accents('e') }}", letters, adapter) == [_plain(letter) for letter in letters]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_phone_in_e164_is_the_digits_behind_a_plus(adapter: str) -> None:
    """A number that cannot be told has no form, and neither has a hash: nobody knows whether it has the plus."""
    given = ["0171 1234567", "+1 (650) 555-1212", "12", None, HASH, "1234567" + HASH[7:]]
    calls = "{{ normalize_phone_e164('e', *phone_plan()) }}, {{ hashed('phone_e164', 'e', *phone_plan()) }}"
    query = f"select {calls} from given left join countries on country_code = 'DE' order by position"
    found = run(query, [(value,) for value in given], ("e",), adapter)
    assert [form for form, _ in found][:4] == ["+491711234567", "+16505551212", None, None]
    # SHA-256 of +16505551212, as Reddit's help page has it (read 2026-11-20).
    assert found[1][1] == "1e231c66011e7a2d867a9cfae267a6aff103cf4913640b6e71a99850fc0ffbc8"
    assert [sha256 for _, sha256 in found][2:] == [None] * 4

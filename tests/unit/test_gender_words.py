"""Words for a gender in the languages of the ten largest markets and some more, as forms and registers write them."""

from __future__ import annotations

import unicodedata

import pytest

from tests.support.macro_renderer import evaluate

MARKETS = {
    "United States": ("English", "Spanish"),
    "China": ("Chinese",),
    "United Kingdom": ("English",),
    "Japan": ("Japanese",),
    "Germany": ("German", "Turkish"),
    "South Korea": ("Korean",),
    "India": ("Hindi", "English"),
    "France": ("French",),
    "Brazil": ("Portuguese",),
    "Indonesia": ("Indonesian",),
}
WORDS = {
    "English": ("Female woman Mrs. Ms. Miss girl lady F", "Male man Mr. boy gentleman M"),
    "Spanish": ("Mujer Femenino Señora Sra. Srta. hembra niña", "Hombre Masculino Señor Sr. varón niño"),
    "Portuguese": ("Mulher Feminino Senhora fêmea menina", "Homem Masculino Senhor macho menino"),
    "German": ("weiblich Frau W Mädchen Dame", "männlich maennlich Mann Herr Junge"),
    "French": ("Femme Féminin Madame Mme Mademoiselle fille", "Homme Masculin Monsieur garçon mâle"),
    "Italian": ("Donna Femmina femminile Signora ragazza", "Uomo Maschio maschile Signore ragazzo"),
    "Dutch": ("Vrouw vrouwelijk meisje Mevrouw", "Man mannelijk jongen heer"),
    "Polish": ("Kobieta żeński Pani", "Mężczyzna męski Pan"),
    "Turkish": ("Kadın kız Bayan", "Erkek Bay"),
    "Indonesian": ("Perempuan Wanita Nyonya", "Laki-laki Pria Tuan"),
    "Russian": ("Женский женщина жен. Ж", "Мужской мужчина муж. М"),
    "Arabic": ("أنثى انثى امرأة", "ذكر رجل"),
    "Hindi": ("महिला स्त्री औरत", "पुरुष आदमी"),
    "Japanese": ("女性 女 女子", "男性 男 男子"),
    "Korean": ("여성 여자 여", "남성 남자 남"),
    "Chinese": ("女 女性 女士", "男 男性 男子"),
}
UNTOLD = ("h", "d", "x", "0", "1", "2", "9", "n/a", "unknown", "other", "divers", "non-binary", "Frau Herr", "-", "")


def _plain(text: str) -> str:
    """Take the accents, as systems do that know ASCII only."""
    return unicodedata.normalize("NFD", text).encode("ascii", "ignore").decode()


@pytest.mark.parametrize("adapter", ["duckdb", "postgres", "spark"])
@pytest.mark.parametrize("language", WORDS)
def test_the_words_of_a_language_are_told(language: str, adapter: str) -> None:
    """As they are, in capitals, and with blanks around them."""
    for letter, words in zip("fm", (text.split() for text in WORDS[language]), strict=True):
        written = [form for word in words for form in (word, word.upper(), f"  {word.lower()} ")]
        assert set(evaluate("{{ normalize_gender('e') }}", written, adapter)) == {letter}


def test_each_market_has_its_language() -> None:
    """Ten markets, and a language of each."""
    assert len(MARKETS) == 10
    assert {language for languages in MARKETS.values() for language in languages} <= set(WORDS)


def test_words_without_their_accents_are_told_or_not_but_never_wrongly() -> None:
    """No word becomes one for the other gender when a system drops its accents."""
    pairs = [(letter, _plain(word)) for text in WORDS.values() for letter, words in zip("fm", text, strict=True)
             for word in words.split()]  # fmt: skip
    found = evaluate("{{ normalize_gender('e') }}", [word for _, word in pairs])
    assert [pair for pair, letter in zip(pairs, found, strict=True) if letter not in (pair[0], None)] == []


def test_what_is_no_word_for_it_is_not_guessed() -> None:
    """Digits mean something else in each system, and H may be a man in Spain; they are NULL."""
    assert evaluate("{{ normalize_gender('e') }}", UNTOLD) == [None] * len(UNTOLD)

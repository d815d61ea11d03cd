"""What a person may say to `uploader forget`, and what is wrong with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.shop import Shop, opened
from tests.support.shop import orders as sold


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Shop]:
    """A shop without a warehouse."""
    with opened(tmp_path, monkeypatch, capsys) as it:
        yield it


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        ([], "Say who", 64),
        (["--email", "a@b.example", "--listed"], "Say who", 64),
        (["--customer", "1", "--country", "DE"], "--country belongs to --phone", 64),
        (["--email", "-"], "no value was given", 64),
        (["--email", "a@b.example"], "There is no warehouse", 78),
    ],
)
def test_a_request_that_cannot_be_followed_says_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str, code: int
) -> None:
    """Nothing is made or changed, and no value is repeated."""
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert shop.run("forget", *words)[0] == code
    assert said in shop.error
    assert "a@b" not in shop.error
    assert not shop.warehouse.exists()


def test_a_warehouse_of_an_older_version_must_be_built_first(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The models say who is meant, so they must be there; the value comes from stdin."""
    shop.sells(*sold(1))
    monkeypatch.setattr("sys.stdin", io.StringIO("a@b.example\n"))
    code, told = shop.json("forget", "--email", "-")
    assert (code, "Run `dbt build`" in told["error"], "a@b" in told["error"]) == (78, True, False)

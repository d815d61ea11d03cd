"""As whom requests come: access tokens, secrets in addresses, and the pace that requests keep."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.support.accounts import service_account
from tests.support.delivering import Platform, World, accepted, orders, target
from tests.support.receiver_toy import Toy
from uploader.delivery.signing import secret_problem, signer
from uploader.destinations.interface import OAUTH1_PARTS, Account, Auth, Request, Secret
from uploader.destinations.meta import Meta
from uploader.errors import PlatformRefused
from uploader.transport import Answer, InDoubt, NotSent

TOKEN_URI = "https://oauth2.example/token"
USER = {"type": "authorized_user", "client_id": "i", "client_secret": "very-secret", "refresh_token": "r"}


class TokenServer:
    """Exchanges credentials for tokens: t1, t2, …"""

    def __init__(self, status: int = 200, lasts_s: int = 3600) -> None:
        self.status, self.lasts_s = status, lasts_s
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Answer one POST."""
        self.asked.append((url, parse_qs(body.decode())))
        good = {"access_token": f"t{len(self.asked)}", "expires_in": self.lasts_s, "token_type": "Bearer"}
        return Answer(self.status, json.dumps(good if self.status == 200 else {"error": "invalid_grant"}).encode(), {})


class OAuth2(Meta):
    """Meta with another way in."""

    auth = Auth.OAUTH2
    auth_scope = "https://scope.example/all"


def _signer(post: Any, secret: str | None = None) -> Any:
    usual = target()
    account = replace(usual.account, token=Secret(secret or service_account(TOKEN_URI)))
    return signer(replace(usual, destination=OAuth2(), account=account), post, lambda: None)


def test_a_service_account_gets_one_token_for_an_hour() -> None:
    """It is asked for at the address in the credentials, with a signed claim, and used again."""
    server = TokenServer()
    sign = _signer(server)
    assert [sign("https://a.example"), sign("https://b.example")] == [{"Authorization": "Bearer t1"}] * 2
    ((url, form),) = server.asked
    assert (url, form["grant_type"]) == (TOKEN_URI, ["urn:ietf:params:oauth:grant-type:jwt-bearer"])
    assert form["assertion"][0].count(".") == 2


def test_a_token_that_is_over_or_was_refused_is_renewed() -> None:
    """By itself when it is about to expire, and once when the platform does not take it any more."""
    short = _signer(TokenServer(lasts_s=1))
    assert [short("u"), short("u")] == [{"Authorization": "Bearer t1"}, {"Authorization": "Bearer t2"}]
    sign = _signer(TokenServer())
    sign("u")
    assert sign.renew()
    assert sign("u") == {"Authorization": "Bearer t2"}


def test_refused_credentials_stop_the_destination() -> None:
    """Without any part of them in the message."""
    with pytest.raises(PlatformRefused, match="credentials were refused") as refused:
        _signer(TokenServer(400), json.dumps(USER))("u")
    assert "very-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b""),
        (200, b"[]"),
        (302, b""),
        (429, b"{}"),
        (500, b"[]"),
        (502, b"<html>"),
        (503, b"{}"),
    ],
)
@pytest.mark.parametrize("secret", [None, json.dumps(USER)], ids=["service account", "person"])
def test_a_server_of_tokens_in_trouble_blames_no_credentials(status: int, body: bytes, secret: str | None) -> None:
    """A proxy's page, an outage or half an answer: nothing was sent, and another try may do."""
    with pytest.raises(NotSent, match="no access token"):
        _signer(lambda *_: Answer(status, body, {}), secret)("u")


@pytest.mark.parametrize("body", [b"[1]", b"<html>", b""])
@pytest.mark.parametrize("secret", [None, json.dumps(USER)], ids=["service account", "person"])
def test_a_refusal_in_whatever_form_is_one(body: bytes, secret: str | None) -> None:
    """The status says enough."""
    with pytest.raises(PlatformRefused, match="credentials were refused"):
        _signer(lambda *_: Answer(400, body, {}), secret)("u")


@pytest.mark.parametrize("problem", [NotSent("no way"), InDoubt("lost")])
def test_an_unreachable_server_of_tokens_costs_nothing(problem: Exception) -> None:
    """Nothing was sent to the platform, so nothing is in doubt."""

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        raise problem

    with pytest.raises(NotSent, match="no access token"):
        _signer(post)("u")


@pytest.mark.parametrize(
    ("auth", "secret", "problem"),
    [
        (Auth.OAUTH2, "text", "must hold JSON"),
        (Auth.OAUTH2, "[]", "a JSON object"),
        (Auth.OAUTH2, '{"type": "external"}', '"type" must be service_account or authorized_user'),
        (Auth.OAUTH2, '{"type": "authorized_user", "client_id": "i"}', "lacks client_secret, refresh_token"),
        (Auth.OAUTH1, '{"consumer_key": "k", "consumer_secret": ""}', "lacks consumer_secret, access_token"),
        (Auth.OAUTH1, json.dumps(dict.fromkeys(OAUTH1_PARTS, "x")), None),
        (Auth.OAUTH2, json.dumps(USER), None),
        (Auth.TOKEN, "anything", None),
    ],
)
def test_what_is_wrong_with_a_secret_is_said_without_it(auth: Auth, secret: str, problem: str | None) -> None:
    """All that is missing at once, before anything is sent."""
    found = secret_problem(auth, secret)
    assert found == problem if problem is None else problem in str(found)


class Renewing:
    """Signs with tokens, of which the platform takes the second one only."""

    def __init__(self) -> None:
        self.tokens = iter(["old", "new", "newer"])
        self.token = next(self.tokens)

    def __call__(self, url: str) -> dict[str, str]:
        """See `Sign`."""
        return {"Authorization": self.token}

    def renew(self) -> bool:
        """See `Sign`."""
        self.token = next(self.tokens)
        return True


@pytest.mark.parametrize(("good", "acked", "asked"), [("new", 3, 2), ("none", 0, 2)])
def test_an_expired_token_is_renewed_once(tmp_path: Path, good: str, acked: int, asked: int) -> None:
    """The same request goes a second time; when that is refused too, the destination stops and no row is blamed."""
    seen: list[str] = []

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        seen.append(headers["Authorization"])
        events = json.loads(body)["data"]
        return accepted(events) if headers["Authorization"] == good else Answer(401, b'{"error":{"code":190}}', {})

    world = World(tmp_path, post)
    report = world.run(orders(3), sign=Renewing())
    assert (report.books.acked, report.books.dead, len(seen)) == (acked, 0, asked)
    assert isinstance(report.problem, PlatformRefused) == (acked == 0)


class Slow(Toy):
    """Takes thirty requests a minute, and its secret in the address."""

    requests_per_minute = 30
    limits = replace(Toy.limits, events=2)

    def request(self, account: Account, events: bytes | memoryview, place: str = "") -> Request:
        """See `Destination.request`."""
        return replace(super().request(account, events, place), secret_query={"key": Secret("s&cret")})


def test_requests_keep_the_pace_of_the_platform(tmp_path: Path) -> None:
    """Two seconds lie between the beginnings of two requests."""
    world = World(tmp_path, destination=Slow())
    report = world.run(orders(6, destination="toy"))
    assert (report.books.acked, world.slept) == (6, [2, 2])


def test_a_secret_in_the_address_is_there_when_it_is_sent_only(tmp_path: Path) -> None:
    """It is encoded, and stands in no message."""
    urls: list[str] = []

    class Gone(Platform):
        def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
            urls.append(url)
            raise NotSent("no connection could be made")

    world = World(tmp_path, Gone(), destination=Slow())
    report = world.run(orders(1, destination="toy"))
    assert all(url.endswith("?key=s%26cret") for url in urls)
    assert "cret" not in str(report.problem)

"""As whom requests come, where a token that stands in the settings is not enough: OAuth 2.0 and OAuth 1.0a.

Both are done by libraries: google-auth makes and renews access tokens, oauthlib signs. What they send goes through our
own transport, and a token that they got is in headers only.
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, Final

from uploader.answers import InDoubt, NotSent, json_object
from uploader.delivery.surroundings import Unsigned
from uploader.destinations.interface import OAUTH1_PARTS, Auth
from uploader.errors import ConfigurationError, PlatformRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from uploader.clock import Clock
    from uploader.delivery.surroundings import Post, Sign
    from uploader.delivery.targets import Target

_GOOGLE: Final = "https://oauth2.googleapis.com/token"
"""Where a user's credentials are exchanged, unless they say another place."""
_LATER: Final = (408, 429)
"""Answers of a server that asks to wait."""
_CREDENTIALS: Final = {
    "service_account": ("client_email", "private_key", "token_uri"),
    "authorized_user": ("client_id", "client_secret", "refresh_token"),
}


def secret_problem(auth: Auth, secret: str) -> str | None:
    """Say what is wrong with the text of a secret; None where it can be used. Never shows any of it."""
    if auth is Auth.TOKEN:
        return None
    try:
        found = json.loads(secret)
    except ValueError:
        return "it must hold JSON"
    if not isinstance(found, dict):
        return "it must hold a JSON object"
    kind = str(found.get("type"))
    if auth is Auth.OAUTH2 and kind not in _CREDENTIALS:
        return f'its "type" must be {" or ".join(_CREDENTIALS)}'
    needed = OAUTH1_PARTS if auth is Auth.OAUTH1 else _CREDENTIALS[kind]
    lacking = [name for name in needed if not isinstance(found.get(name), str) or not found[name]]
    return f"its JSON lacks {', '.join(lacking)}" if lacking else None


def signer(target: Target, post: Post, clock: Clock) -> Sign:
    """Return what signs a target's requests. ``post`` may speak to the destination's ``auth_hosts`` only."""
    if target.destination.auth is Auth.OAUTH1:
        return OAuth1(json.loads(target.account.token.reveal()), clock)
    if target.destination.auth is Auth.OAUTH2:
        return _OAuth2(json.loads(target.account.token.reveal()), target.destination.auth_scope, post)
    return Unsigned()


class OAuth1(Unsigned):
    """Signs by RFC 5849 with HMAC-SHA1; a JSON body is no part of what is signed (section 3.4.1.3).

    ``secret`` has `OAUTH1_PARTS`.
    """

    def __init__(self, secret: Mapping[str, str], clock: Clock) -> None:
        self._secret, self._clock = secret, clock

    def __call__(self, url: str) -> dict[str, str]:
        """See `Sign`."""
        from oauthlib.oauth1 import Client

        keys = (self._secret[name] for name in OAUTH1_PARTS)
        client = Client(*keys, timestamp=str(int(self._clock().timestamp())))
        _, headers, _ = client.sign(url, http_method="POST")
        return {"Authorization": headers["Authorization"]}


class _OAuth2:
    """Exchanges credentials for an access token, anew when it is about to expire."""

    def __init__(self, secret: Mapping[str, Any], scope: str, post: Post) -> None:
        self._secret, self._scope, self._post = secret, scope, post
        self._lock = threading.Lock()
        self._credentials: Any = None

    def __call__(self, url: str) -> dict[str, str]:  # noqa: ARG002 - one token for all
        """See `Sign`."""
        from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

        with self._lock:
            try:
                self._credentials = self._credentials or self._load()
                if not self._credentials.valid:
                    self._credentials.refresh(_exchange(self._post))
                return {"Authorization": f"Bearer {self._credentials.token}"}
            except TransportError as error:
                raise NotSent(f"no access token could be got: {error}") from None
            except RefreshError as error:
                if error.retryable:
                    raise NotSent(
                        "no access token could be got: the server of tokens has an error of its own"
                    ) from None
                raise PlatformRefused("the credentials were refused: create new ones, or give them access") from None
            except (GoogleAuthError, ValueError):
                raise PlatformRefused("the credentials cannot be used: create new ones") from None

    def renew(self) -> bool:
        """See `Sign.renew`."""
        with self._lock:
            if self._credentials is None or self._credentials.token is None:
                return False
            self._credentials.token = None
            return True

    def _load(self) -> Any:
        from google.oauth2 import credentials, service_account

        info, scopes = dict(self._secret), [self._scope]
        if info["type"] == "service_account":
            return service_account.Credentials.from_service_account_info(info, scopes=scopes)
        about = {name: info[name] for name in _CREDENTIALS["authorized_user"]}
        return credentials.Credentials(None, token_uri=info.get("token_uri", _GOOGLE), scopes=scopes, **about)


def _exchange(post: Post) -> Callable[..., Any]:
    """Return how google-auth sends: through our transport, once."""
    from google.auth.exceptions import TransportError

    def send(url: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any) -> Any:
        if method != "POST":
            raise TransportError("only POST is used for tokens")
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        try:
            answer = post(url, content, dict(headers or {}))
        except (NotSent, InDoubt, ConfigurationError) as error:
            raise TransportError(str(error)) from None
        told = json_object(answer.body)
        # Only a refusal says something of the credentials; a proxy's page, or nothing, is no answer to them.
        if not (answer.status == 200 and told) and not (400 <= answer.status < 500 and answer.status not in _LATER):
            raise TransportError(f"the server of tokens has trouble of its own (status {answer.status})")
        return _Response(answer.status, answer.headers, json.dumps(dict(told)).encode())

    return send


class _Response:
    """An answer as google-auth reads it."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status, self.headers, self.data = status, headers, data

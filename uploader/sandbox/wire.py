"""What travels: a call as it arrived, the answer to it, and how its parameters are read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnreadableError(ValueError):
    """A text is not the strict JSON that it says it is."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP response. ``missing_bytes`` are promised, never sent; ``is_reset`` cuts the line instead."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=UTF-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    missing_bytes: int = 0
    is_reset: bool = False


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """Wrap a value as JSON; decimals become text, so that they stay exact."""
    return Answer(status, orjson.dumps(content, default=str), headers=headers or {})


def strict_json(text: str | bytes) -> object:
    """Parse JSON without NaN, lone surrogates or endless nesting; fractions become exact decimals."""
    try:
        orjson.loads(text)
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("not valid JSON") from error


def form_fields(body: bytes) -> dict[str, str]:
    """Read a form-encoded body; the last of two fields with one name wins."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, errors="strict"))
    except ValueError as error:
        raise UnreadableError("not a valid form") from error

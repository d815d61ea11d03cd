"""What JSON values must be, in words and as tests: what the stand-ins' rules are made of."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Shape: TypeAlias = "tuple[str, Callable[[Any], bool]]"
"""What a value must be, in words and as a test."""


class WrongShapeError(ValueError):
    """A value is not what it must be; ``path`` says where, as in ``user.email``."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path, self.problem = path, problem


def check(found: Any, shapes: Mapping[str, Shape], path: str = "", *, required: Collection[str] = ()) -> None:
    """Raise `WrongShapeError` unless ``found`` is an object with these keys only, and with the required ones."""
    if not isinstance(found, dict):
        raise WrongShapeError(path, "must be an object")
    for key in required:
        if found.get(key) is None:
            raise WrongShapeError(_joined(path, key), "is required")
    for key, value in found.items():
        if key not in shapes:
            raise WrongShapeError(_joined(path, key), "is not known")
        if not shapes[key][1](value):
            raise WrongShapeError(_joined(path, key), f"must be {shapes[key][0]}")


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def as_list(value: object) -> list[Any]:
    """Return the values of a field that takes one or several."""
    return value if isinstance(value, list) else [value]


def is_whole(value: object) -> bool:
    """Tell whether it is an integer; a boolean is none."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Tell whether it is a number in JSON."""
    return is_whole(value) or isinstance(value, Decimal)


def is_amount(value: object) -> bool:
    """Tell whether it is a number that is not negative, or its text."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return False
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return number.is_finite() and number >= 0


def is_text(value: object) -> bool:
    """Tell whether it is a text with more than blanks in it."""
    return isinstance(value, str) and value.strip() != ""


def list_of(shape: Shape, most: int = 10**6) -> Shape:
    """Return the shape of a list of values of one shape."""
    return (
        f"a list, each {shape[0]}",
        lambda value: isinstance(value, list) and len(value) <= most and all(map(shape[1], value)),
    )


def one_of(*allowed: object) -> Shape:
    """Return the shape of a value that is one of several."""
    return (
        f"one of {', '.join(map(str, allowed))}",
        lambda value: type(value) is not bool and value in allowed,
    )


def text_like(pattern: str, words: str) -> Shape:
    """Return the shape of a text that matches a pattern as a whole."""
    compiled = re.compile(pattern)
    return (words, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def shaped(shapes: Mapping[str, Shape], *required: str) -> Shape:
    """Return the shape of an object with these keys only."""

    def fits(value: Any) -> bool:
        try:
            check(value, shapes, required=required)
        except WrongShapeError:
            return False
        return True

    return f"an object with {', '.join(required) or 'known keys'}", fits


TEXT: Final[Shape] = ("a non-empty string", is_text)
ANY_TEXT: Final[Shape] = ("a string", lambda value: isinstance(value, str))
WHOLE: Final[Shape] = ("an integer", is_whole)
NUMBER: Final[Shape] = ("a number", is_number)
OBJECT: Final[Shape] = ("an object", lambda value: isinstance(value, dict))
FLAG: Final[Shape] = ("a boolean", lambda value: value in (0, 1))
BOOLEAN: Final[Shape] = ("true or false", lambda value: isinstance(value, bool))
AMOUNT: Final[Shape] = ("a number that is not negative", is_amount)
TEXTS: Final[Shape] = (
    "a string or a list of strings",
    lambda value: all(isinstance(v, str) for v in as_list(value)),
)
ID: Final[Shape] = ("an id", lambda value: is_text(value) or is_whole(value))
SHA256: Final = text_like(r"[0-9a-f]{64}", "64 lower-case hexadecimal digits")
ANYTHING: Final[Shape] = ("anything", lambda _: True)

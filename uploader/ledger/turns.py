"""Several destinations are sent to at the same time, over one connection to the sent log: they take turns."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Result = TypeVar("Result")


def in_turn(method: Callable[Concatenate[Any, Given], Result]) -> Callable[Concatenate[Any, Given], Result]:
    """Let one thread at a time into a method of an object, and into its others that are marked so: by its ``turn``."""

    @wraps(method)
    def locked(log: Any, /, *args: Given.args, **options: Given.kwargs) -> Result:
        with log.turn:
            return method(log, *args, **options)

    return locked

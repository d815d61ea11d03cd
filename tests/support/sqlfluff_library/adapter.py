"""Stands for dbt's `adapter` while sqlfluff renders the models."""

from __future__ import annotations

from collections.abc import Callable


def dispatch(name: str, package: str) -> Callable[..., str]:
    """Return a macro that writes a function call, without the arguments: half a regular expression is no SQL."""

    def call(*arguments: object) -> str:
        return f"{name}()"

    return call

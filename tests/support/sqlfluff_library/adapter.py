"""Stands for dbt's `adapter` while sqlfluff renders the models: a dispatched macro becomes a function call."""

from __future__ import annotations

from collections.abc import Callable


def dispatch(name: str, package: str) -> Callable[..., str]:
    """Return a macro that writes its own name and arguments as an SQL function call."""

    def call(*arguments: object) -> str:
        return f"{name}({', '.join(str(argument) for argument in arguments)})"

    return call

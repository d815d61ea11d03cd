"""Stands for the macros of dbt itself while sqlfluff renders the models."""

from __future__ import annotations


def type_string() -> str:
    """Return the type of texts."""
    return "varchar"

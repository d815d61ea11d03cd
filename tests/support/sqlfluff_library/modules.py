"""Stands for the Python modules that dbt gives to macros while sqlfluff renders the models: every time is one time."""

from __future__ import annotations

from datetime import UTC
from datetime import datetime as datetime_class
from types import SimpleNamespace

_MOMENT = datetime_class(2026, 1, 1, tzinfo=UTC)

datetime = SimpleNamespace(datetime=SimpleNamespace(fromisoformat=lambda _text: _MOMENT))
pytz = SimpleNamespace(utc=UTC)

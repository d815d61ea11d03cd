"""``uploader status``: what the sent log says, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from uploader.cli.app import app
from uploader.cli.context import Context, environment, print_json
from uploader.cli.people import places
from uploader.cli.status_text import listing_lines, overview_lines
from uploader.cli.survey import Choice, plans
from uploader.cli.telling import tell
from uploader.cli.context import stdout
from uploader.delivery.exposure import Exposure, exposure
from uploader.delivery.targets import targets
from uploader.destinations import names
from uploader.errors import ConfigurationError, QualityGateFailed, TryLater
from uploader.ledger import Breaker, State
from uploader.ledger.summary import Group, Wanted, by_state, groups, keys_in, moment
from uploader.warehouse import outbox, reading

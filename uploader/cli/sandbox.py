"""``uploader sandbox``: a local stand-in of the platforms."""

from __future__ import annotations

from typing import Annotated

import typer

from uploader.clock import parse_time
from uploader.errors import UsageError


def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes a free one.")] = 8765,
    token: Annotated[str, typer.Option(help="The access token that it accepts.")] = "sandbox-token",  # noqa: S107 - no secret
    dataset: Annotated[str | None, typer.Option(help="The only dataset id that it knows; default: any.")] = None,
    now: Annotated[str | None, typer.Option(help="The time that it believes in (ISO 8601).")] = None,
) -> None:
    """Run stand-ins of all platforms on this machine, until Ctrl-C. It prints and serves its counts.

    Example: uploader sandbox --port 8765
    """
    from uploader.sandbox import serve

    try:
        serve(port, token, dataset, parse_time(now, "--now", UsageError) if now is not None else None)
    except OSError as error:
        raise UsageError(f"Port {port} cannot be used ({error.strerror}). Choose another one with --port.") from None

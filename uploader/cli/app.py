"""The application: its commands, and what becomes of an error."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Annotated

import typer

from uploader import __version__
from uploader import settings as configuration
from uploader.cli.context import errors, print_json
from uploader.errors import ConfigurationError, Interrupted, UploaderError, UsageError
from uploader.redaction import Redactor, secrets_of

app = typer.Typer(
    name="uploader",
    help="Deliver conversion events from your warehouse to ad platforms: each one once, only with consent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that belong to no command."""


def _register() -> None:
    """Import the commands; each module adds its own to ``app``."""
    from uploader.cli import (  # noqa: F401
        check,
        demo,
        doctor,
        explain,
        forget,
        load,
        plan,
        prove,
        register,
        requeue,
        resolve,
        sandbox,
        send,
        status,
    )

    # In one order, whichever module was imported first.
    app.registered_commands.sort(key=lambda command: getattr(command.callback, "__name__", ""))


def main(arguments: list[str] | None = None) -> None:
    """Run a command and exit with its code; a mistake of the user's is a message, never a traceback."""
    sys.excepthook = _redactor().excepthook
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(words: list[str]) -> int:
    """Run a command and return its exit code."""
    with _redactor().guarding():
        return _run(words)


def _redactor() -> Redactor:
    try:
        settings = configuration.load().model_dump()
    except (ConfigurationError, OSError):  # which the command itself tells of
        settings = {}
    return Redactor(secrets_of(os.environ, settings))


def _run(words: list[str]) -> int:
    as_json = "--json" in words
    try:
        _register()
        # Not before: what a handler raises in the middle of an import may be lost.
        _listen()
        _require_text(words)
        result = typer.main.get_command(app)(words, standalone_mode=False)
    except UploaderError as error:
        return _tell(str(error), error.exit_code, as_json=as_json)
    except OSError as error:
        path = f" {error.filename}" if error.filename else ""
        return _tell(f"The file{path} cannot be used: {error.strerror or error}.", 78, as_json=as_json)
    except Exception as error:
        # typer's own errors about the words of the command; any other exception is a bug and shows itself.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            text = error.format_message().rstrip()
            text = text if text.startswith("Usage:") else f"{text} See `uploader --help`."
            return _tell(text, UsageError.exit_code, as_json=as_json)
        if type(error).__name__ == "Abort":
            return _tell("Cancelled.", 130, as_json=as_json)
        if as_json:
            print_json({"error": f"A bug: {type(error).__name__}. See the traceback.", "exit_code": 1})
        raise
    return result if isinstance(result, int) else 0


def _listen() -> None:
    """Let SIGINT and SIGTERM end a command with a message; `send` finishes its request first."""

    def interrupt(number: int, _frame: object) -> None:
        raise Interrupted("Interrupted. Nothing was sent.", number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, interrupt)


def _require_text(words: list[str]) -> None:
    """Raise for a word that is no text in this machine's encoding."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        raise UsageError("A word of the command is not UTF-8 text.") from None


def _tell(message: str, code: int, *, as_json: bool) -> int:
    if as_json:
        print_json({"error": message, "exit_code": code})
    errors.print(message, markup=False, style="bold red" if code not in (75, 130) else "yellow")
    return code

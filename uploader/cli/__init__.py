"""The command line."""

from uploader.cli.app import main

__all__ = ["main"]

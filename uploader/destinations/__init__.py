"""The ad platforms: one module each, and the module's name is the destination's name.

A module that grows too long becomes a package of the same name; what is inside it is its own.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from uploader.destinations.interface import Destination
from uploader.errors import ConfigurationError

_NO_PLATFORMS = ("interface", "shared")


def names() -> tuple[str, ...]:
    """Name every destination there is, in alphabetical order."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(sorted(name for name in found if name not in _NO_PLATFORMS))


def load(name: str) -> Destination:
    """Return the destination of that name."""
    if name not in names():
        raise ConfigurationError(f"there is no destination {name!r}; there are: {', '.join(names())}")
    destination = import_module(f"{__name__}.{name}").DESTINATION
    if not isinstance(destination, Destination):
        raise TypeError(f"{__name__}.{name}.DESTINATION is no Destination")
    return destination

"""The destinations of a run: which are enabled, configured, and where they are."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from uploader.clock import NOW_VARIABLE, pretended
from uploader.delivery.signing import secret_problem
from uploader.destinations import load, names
from uploader.destinations.interface import Account, Secret
from uploader.diff import Rules
from uploader.encode import leaf_columns
from uploader.errors import ConfigurationError, UsageError
from uploader.hosts import Hosts, is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from uploader.destinations.interface import Body, Destination, Limits, Windows
    from uploader.settings import DestinationSettings, Settings


@dataclass(frozen=True, slots=True)
class Target:
    """One destination of a run. ``problems`` names every setting that sending still needs."""

    destination: Destination
    settings: DestinationSettings
    account: Account
    rules: Rules
    hosts: Hosts
    problems: tuple[str, ...]

    @property
    def name(self) -> str:
        """The destination's name, as in the outbox."""
        return self.destination.name

    def body(self) -> Body:
        """Declare one event; see `Destination.body`."""
        return self.destination.body(self.account)

    def columns(self) -> set[str]:
        """Name the columns that its events, their names and their places are made of."""
        names, place = self.destination.event_name(self.account), self.destination.place(self.account)
        return {*chain(*leaf_columns(self.body()).values()), *names.meta.root_names(), *place.meta.root_names()}

    @property
    def limits(self) -> Limits:
        """The most that one request may carry: the platform's, or fewer events by the settings."""
        most = self.destination.limits
        return replace(most, events=min(most.events, self.settings.batch_size or most.events))

    @property
    def destination_id(self) -> str:
        """The key in the sent log: platform and asset. A rehearsal has its own."""
        rehearsal = "#test" if self.account.test_event_code else ""
        return f"{self.name}:{self.account.dataset_id}{rehearsal}"


def targets(
    enabled: Sequence[str],
    settings: Settings,
    environment: Mapping[str, str],
    wanted: Sequence[str] = (),
    *,
    rehearsal: bool = False,
) -> list[Target]:
    """Return the enabled destinations, or those of them that are wanted.

    A ``test_event_code`` in the settings makes every run a rehearsal; ``rehearsal`` asks for one.
    """
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        raise UsageError(f"There is no destination {', '.join(unknown)}. There are: {', '.join(names())}.")
    without_code = sorted(set(enabled) - set(names()))
    if without_code:
        raise ConfigurationError(
            f"seeds/destinations.csv enables {', '.join(without_code)}, which this version cannot send to. "
            f"It can send to: {', '.join(names())}."
        )
    misspelt = sorted(set(settings.destinations) - set(names()))
    if misspelt:
        sections = ", ".join(f"[destinations.{name}]" for name in misspelt)
        raise ConfigurationError(f"The settings name {sections}; the destinations are: {', '.join(names())}.")
    chosen = [name for name in enabled if not wanted or name in wanted]
    return [_target(name, settings.destination(name), environment, rehearsal=rehearsal) for name in chosen]


def configured(settings: Settings, environment: Mapping[str, str]) -> list[Target]:
    """Return the destinations that the settings say anything of; all there are, where they say nothing at all."""
    chosen = [name for name in names() if name in settings.destinations]
    return targets(chosen or names(), settings, environment)


def _target(name: str, settings: DestinationSettings, environment: Mapping[str, str], *, rehearsal: bool) -> Target:
    destination = load(name)
    section = f"destinations.{name}"
    base_url = (settings.base_url or destination.base_url).rstrip("/")
    hosts = Hosts(destination.hosts, tuple(settings.allowed_hosts))
    hosts.check(base_url, section)
    account = Account(
        dataset_id=settings.dataset_id or "",
        base_url=base_url,
        api_version=settings.api_version or destination.api_version,
        token=Secret(environment.get(_token_variable(destination, settings), "").strip()),
        test_event_code=settings.test_event_code,
        events={event.lower(): theirs for event, theirs in settings.events.items()},
        options={key: settings.options.get(key, option.default) for key, option in destination.options.items()},
    )
    problems = [*_to_mend(destination, settings, account, rehearsal=rehearsal)]
    if pretended(environment) and not is_loopback(base_url):
        problems.append(
            f"{section}.base_url of a sandbox: {NOW_VARIABLE} is set, so that the run only pretends to know the time "
            f"and may speak to this machine only. Or unset {NOW_VARIABLE}"
        )
    if not problems:
        try:
            destination.request(account, b"")
        except ConfigurationError as error:
            problems.append(f"{section}: {error}")
    rules = _rules(destination.windows, pixel_redundant=settings.pixel_redundant)
    return Target(destination, settings, account, rules, hosts, tuple(problems))


def _token_variable(destination: Destination, settings: DestinationSettings) -> str:
    return settings.token_env or destination.token_env


def _to_mend(
    destination: Destination, settings: DestinationSettings, account: Account, *, rehearsal: bool
) -> Iterator[str]:
    """Name what is missing or wrong in the settings of one destination; never their values."""
    name, section = destination.name, f"destinations.{destination.name}"
    variable, token = _token_variable(destination, settings), account.token.reveal()
    if not settings.dataset_id:
        yield f"{section}.dataset_id (in uploader.toml, or UPLOADER__DESTINATIONS__{name.upper()}__DATASET_ID)"
    if not token:
        yield f"the environment variable {variable} (the platform's access token)"
    elif wrong := secret_problem(destination.auth, token):
        yield f"the environment variable {variable}: {wrong}"
    if (rehearsal or settings.test_event_code) and not destination.has_test_mode:
        yield (
            f"a test mode, so that what a rehearsal sends would count: unset {section}.test_event_code, and rehearse "
            "others with --destination"
        )
    elif rehearsal and not settings.test_event_code:
        yield f"{section}.test_event_code (for a rehearsal)"
    yield from _options_to_mend(destination, settings)


def _options_to_mend(destination: Destination, settings: DestinationSettings) -> Iterator[str]:
    """Name the options that are missing, unknown or of another form; never their values."""
    section, known = f"destinations.{destination.name}.options", destination.options
    if unknown := sorted(set(settings.options) - set(known)):
        raise ConfigurationError(
            f"There is no such setting: {', '.join(f'{section}.{name}' for name in unknown)}. "
            f"{destination.name} has: {', '.join(known) or 'no options'}."
        )
    for name, option in known.items():
        value = settings.options.get(name, "")
        if not value and option.is_required:
            yield f"{section}.{name} ({option.about}, like {option.example})"
        elif value and not re.fullmatch(option.pattern, value):
            yield f"{section}.{name} ({option.about}): it has another form, like {option.example}"


def _rules(windows: Windows, *, pixel_redundant: bool) -> Rules:
    return Rules(
        windows.dedup,
        windows.dedup_by_source,
        by_order=windows.by_order,
        pixel_redundant=pixel_redundant,
        future=windows.future,
    )


def ready(candidates: Sequence[Target]) -> tuple[list[Target], list[str]]:
    """Return the targets that can be sent to, and a warning for each that cannot.

    Raises `ConfigurationError` when settings are missing and no destination is left.
    """
    able = [target for target in candidates if not target.problems]
    lacking = [target for target in candidates if target.problems]
    warnings = [f"{target.name} is skipped; it lacks: {'; '.join(target.problems)}" for target in lacking]
    if lacking and not able:
        text = "\n".join(f"  {target.name}: {problem}" for target in lacking for problem in target.problems)
        raise ConfigurationError(f"Nothing can be sent; these settings are missing:\n{text}")
    return able, warnings

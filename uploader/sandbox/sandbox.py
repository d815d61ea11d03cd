"""The sandbox as an object: a clock, the books, a queue of faults, and a server in front of them."""

from __future__ import annotations

import base64
import hashlib
import itertools
import threading
from collections import deque
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from uploader.sandbox import page, platforms
from uploader.sandbox.counts import Books
from uploader.sandbox.faults import Fault, Faults, fault_answer
from uploader.sandbox.received import Upload
from uploader.sandbox.server import Server
from uploader.sandbox.wire import Answer, Call, json_answer, strict_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

CONTROL: Final = "/_sandbox/"
REMEMBERED_REQUESTS: Final = 10_000
_ANYTHING: Final = "meta"


@dataclass(frozen=True, slots=True)
class Seen:
    """One upload, as the sandbox saw it: how it came and what became of it, but no customer information."""

    at: datetime
    dataset_id: str
    status: int
    events: int
    counted: int
    duplicates: int
    refused: str | None
    fault: str | None
    token_from: str | None
    body_bytes: int
    body_sha256: str

    def as_dict(self) -> dict[str, Any]:
        """Return it with names for people and programs."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass
class Sandbox:
    """A local stand-in of the platforms' interfaces for conversions, on 127.0.0.1.

    ``port`` 0 takes a free one. ``dataset_ids`` None accepts any dataset. ``clock`` says what time it is;
    `set_clock` overrides it. ``version`` is the newest API version that it serves. ``on_request`` is told
    of each upload.

        with Sandbox() as sandbox:
            requests.post(f"{sandbox.url}/v26.0/1234/events", ...)
            assert sandbox.counts()["1234"]["counted"] == 1
    """

    port: int = 0
    token: str = "sandbox-token"  # noqa: S105 - no secret: the sandbox guards nothing
    dataset_ids: InitVar[Iterable[str] | None] = None
    clock: Callable[[], datetime] | None = None
    version: str = "v26.0"
    on_request: Callable[[Seen], None] | None = None
    faults: Faults = field(default_factory=Faults, init=False)

    def __post_init__(self, dataset_ids: Iterable[str] | None) -> None:
        known = None if dataset_ids is None else frozenset(map(str, dataset_ids))
        self._platforms = platforms.load(platforms.Access(self.token, known, self.version))
        self._books = Books()
        self._seen: deque[Seen] = deque(maxlen=REMEMBERED_REQUESTS)
        self._standing_at: datetime | None = None
        self._serials = itertools.count(1)
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """The address to use as the platform's base URL, without a version."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Open the port and answer in the background."""
        self._server = Server(self.port, self)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; what was counted stays readable."""
        self.faults.release()
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def now(self) -> datetime:
        """Return the sandbox's time."""
        if self._standing_at is not None:
            return self._standing_at
        return datetime.now(UTC) if self.clock is None else self.clock()

    def set_clock(self, now: datetime | None) -> None:
        """Let the clock stand still at this time (UTC unless it has a zone); None lets it go again."""
        self._standing_at = now.replace(tzinfo=now.tzinfo or UTC) if now else None

    def counts(self) -> dict[str, dict[str, Any]]:
        """Return per dataset: requests, received, counted, duplicates, refused, faults, warnings, value."""
        return self._books.counts()

    def counted(self, dataset_id: str, *, is_test: bool = False) -> list[dict[str, Any]]:
        """Return the counted events of one dataset, or those that came under a test code."""
        return self._books.counted(dataset_id, is_test=is_test)

    def requests(self) -> list[dict[str, Any]]:
        """Return the uploads in the order of their answers, the newest ten thousand."""
        return [seen.as_dict() for seen in list(self._seen)]

    def reset(self) -> None:
        """Forget what was counted, and every fault; the clock stays as it is."""
        self._books.clear()
        self._seen.clear()
        self.faults.clear()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Return the next fault if this request is an upload. See `Backend`."""
        name = self._platform_of(path)
        return self.faults.take(name) if method == "POST" and self._platforms[name].is_upload(path) else None

    def _platform_of(self, path: str) -> str:
        """Name the platform that a path belongs to; what belongs to nobody goes to the one that says so in its form."""
        return next((name for name, platform in self._platforms.items() if platform.is_mine(path)), _ANYTHING)

    def reply(self, call: Call, fault: Fault | None) -> Answer:
        """Answer one call. See `Backend`."""
        if call.path == "/" and call.method == "GET":
            return Answer(200, page.render(self.now(), self.counts(), self._events()), "text/html; charset=utf-8")
        if call.path.startswith(CONTROL):
            return self._control(call)
        trace_id = self._trace_id()
        if fault is None:
            return self._judged(call, trace_id, None, None)
        if fault.kind == "slow":
            self.faults.wait(fault.seconds)
        wrong = fault_answer(fault, trace_id)
        if fault.judges:
            right = self._judged(call, trace_id, fault, wrong)
        else:
            self._not_judged(call, fault, wrong)
            right = json_answer({})
        if fault.kind == "hang":
            self.faults.wait()
        return wrong or right

    def _judged(self, call: Call, trace_id: str, fault: Fault | None, wrong: Answer | None) -> Answer:
        now = self.now()
        name = self._platform_of(call.path)
        upload = self._platforms[name].judge(call, now, trace_id, fault)
        if upload.is_upload:
            if fault is not None and fault.kind != "none":
                self._books.enter_fault(upload.dataset_id, fault.kind, is_judged=True)
            taken = self._books.enter(upload, now, name)
            self._remember(call, upload, (wrong or upload.answer).status, taken=taken, fault=fault)
        return upload.answer

    def _not_judged(self, call: Call, fault: Fault, answer: Answer | None) -> None:
        dataset_id = self._platforms[self._platform_of(call.path)].dataset_of(call.path)
        self._books.enter_fault(dataset_id, fault.kind, is_judged=False)
        status = answer.status if answer else 0
        self._remember(call, Upload(dataset_id, json_answer({})), status, fault=fault)

    def _remember(
        self,
        call: Call,
        upload: Upload,
        status: int,
        *,
        taken: tuple[int, int] = (0, 0),
        fault: Fault | None = None,
    ) -> None:
        seen = Seen(
            at=self.now(),
            dataset_id=upload.dataset_id,
            status=status,
            events=upload.sent,
            counted=taken[0],
            duplicates=taken[1],
            refused=upload.refused,
            fault=fault.kind if fault else None,
            token_from=upload.token_from,
            body_bytes=len(call.body),
            body_sha256=hashlib.sha256(call.body).hexdigest(),
        )
        self._seen.append(seen)
        if self.on_request is not None:
            self.on_request(seen)

    def _trace_id(self) -> str:
        digest = hashlib.sha256(str(next(self._serials)).encode()).digest()
        return "A" + base64.urlsafe_b64encode(digest).decode()[:22]

    def _events(self, *, is_test: bool = False) -> dict[str, list[dict[str, Any]]]:
        return {name: self.counted(name, is_test=is_test) for name in self.counts()}

    def _control(self, call: Call) -> Answer:
        name = call.path.removeprefix(CONTROL)
        try:
            if call.method == "GET":
                return self._told(name)
            return self._ordered(name, strict_json(call.body) if call.body else None)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return json_answer({"error": str(error)}, 400)

    def _told(self, name: str) -> Answer:
        content: dict[str, Callable[[], object]] = {
            "counts": self.counts,
            "events": self._events,
            "test_events": lambda: self._events(is_test=True),
            "requests": self.requests,
            "clock": lambda: {"now": self.now().isoformat(), "is_set": self._standing_at is not None},
            # Where the redirect leads: whoever follows it reads a success that means nothing.
            "elsewhere": lambda: {"success": True},
        }
        return json_answer(content[name]()) if name in content else json_answer({"error": "no such page"}, 404)

    def _ordered(self, name: str, content: Any) -> Answer:
        if name == "clock":
            self.set_clock(datetime.fromisoformat(content["now"]) if content["now"] else None)
        elif name == "faults":
            self.faults.extend(content if isinstance(content, list) else [content])
        elif name == "release":
            self.faults.release()
        elif name == "reset":
            self.reset()
        else:
            return json_answer({"error": "no such page"}, 404)
        return json_answer({"now": self.now().isoformat(), "faults": self.faults.pending()})

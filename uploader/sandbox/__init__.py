"""A local stand-in of the platforms, for demos and tests. It judges from outside: it imports nothing of ours.

    meta          Meta's rules: a call and a time in, a judgement out (meta_event, meta_source, meta_shape,
                  meta_refusal)
    counts        what each dataset received, and what of it was counted once
    faults        what the next uploads meet instead of the right answer
    sandbox       the object that joins them; server: its sockets; page: what a person sees

Over HTTP, beside the platform's own paths: ``GET /`` for people; ``GET /_sandbox/counts``, ``events``,
``test_events``, ``requests`` and ``clock``; ``POST /_sandbox/clock {"now": "2026-01-15T12:00:00Z"}`` (null
lets it go), ``POST /_sandbox/faults [{"kind": "throttle", "times": 2}]``, ``POST /_sandbox/release`` and
``POST /_sandbox/reset``.
"""

from uploader.sandbox.faults import KINDS as FAULT_KINDS
from uploader.sandbox.faults import Fault, Faults
from uploader.sandbox.sandbox import Sandbox
from uploader.sandbox.serving import serve

__all__ = ["FAULT_KINDS", "Fault", "Faults", "Sandbox", "serve"]

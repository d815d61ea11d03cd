"""Why Meta's Conversions API refuses a request, and the error body that says so.

Codes: https://developers.facebook.com/documentation/ads-commerce/marketing-api/error-reference and the
bodies that third parties published (read 2026-09-12). The texts are written here: Meta's are localised,
so nobody may rely on them. Refusals with a subcode 2804xxx name no event, just as Meta's do not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(eq=False)
class Refusal(Exception):
    """The platform's own error: ``code`` and ``subcode`` decide, texts explain."""

    code: int
    message: str = "Invalid parameter"
    subcode: int | None = None
    status: int = 400
    title: str = ""
    explanation: str = ""
    is_transient: bool = False

    @property
    def label(self) -> str:
        """The code as people write it: ``100/2804003``, or ``190``."""
        return str(self.code) if self.subcode is None else f"{self.code}/{self.subcode}"

    def body(self, trace_id: str) -> dict[str, object]:
        """Return the JSON body in Meta's form."""
        error: dict[str, object] = {"message": self.message, "type": "OAuthException", "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.is_transient
        if self.title:
            error |= {"error_user_title": self.title, "error_user_msg": self.explanation}
        return {"error": error | {"fbtrace_id": trace_id}}


def wrong_token(*, is_missing: bool) -> Refusal:
    """Return the refusal of a call without a token, or with another than the right one."""
    what = (
        "An access token is required to request this resource."
        if is_missing
        else "Invalid OAuth access token - Cannot parse access token"
    )
    return Refusal(190, what, status=401)


def unknown_object(method: str, object_id: str) -> Refusal:
    """Return the refusal of an id that does not exist, or is not assigned to the token."""
    return Refusal(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, cannot be loaded"
        " due to missing permissions, or does not support this operation.",
        subcode=33,
    )


def unknown_path(path: str) -> Refusal:
    """Return the refusal of a path that leads nowhere."""
    return Refusal(2500, f"Unknown path components: {path}")


def bad_parameter(text: str) -> Refusal:
    """Return the refusal of a parameter by its shape; the text carries the path where there is one."""
    return Refusal(100, f"(#100) {text}")


def event_too_old(explanation: str) -> Refusal:
    """Return the refusal of an ``event_time`` that is missing, in milliseconds, or too old."""
    return Refusal(100, subcode=2804003, title="Event Timestamp Too Old", explanation=explanation)


def not_hashed(field: str) -> Refusal:
    """Return the refusal of a customer identifier that is not a SHA-256 hash."""
    return Refusal(
        100,
        subcode=2804016,
        title="Customer Information Parameter Not Hashed",
        explanation=f"The user_data parameter {field} must be hashed with SHA-256: 64 lower-case hex digits.",
    )


def no_identity() -> Refusal:
    """Return the refusal of customer information that is missing, or too broad to match anybody."""
    return Refusal(
        100,
        subcode=2804050,
        title="You haven't added sufficient customer information parameter data",
        explanation="This event has no customer information, or a combination that is too broad. "
        "Add more customer information parameters.",
    )


def empty_os_version() -> Refusal:
    """Return the refusal of an app event that does not say on which system version it happened."""
    return Refusal(
        100,
        subcode=2804043,
        title="OS Version Missing",
        explanation="The fifth element of app_data.extinfo, the OS version, is required.",
    )


def not_a_messaging_event(event_name: str) -> Refusal:
    """Return the refusal of an event name that business messaging does not know."""
    return Refusal(
        100,
        subcode=2804066,
        title="Event Name Not Allowed",
        explanation=f"The event {event_name[:40]} is not allowed with the action source business_messaging.",
    )


def invalid_lead_id() -> Refusal:
    """Return the refusal of a lead id that is none; Meta says the same of one that was deleted."""
    return Refusal(
        100,
        subcode=2804036,
        title="Invalid Lead ID",
        explanation="The user_data parameter lead_id must be the 15 to 17 digits of an existing lead.",
    )


def no_messaging_click() -> Refusal:
    """Return the refusal of a WhatsApp event without its click id; the subcode was seen in a mock only."""
    return Refusal(
        100,
        subcode=2804087,
        title="Click ID Missing",
        explanation="The user_data parameter ctwa_clid is required for WhatsApp events.",
    )


def insufficient(explanation: str) -> Refusal:
    """Return the refusal of an event that lacks what its kind requires; Meta's subcode is not published."""
    return Refusal(100, title="Invalid Parameter", explanation=explanation)

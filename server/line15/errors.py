"""Refusals of calls, launches and call events."""

from server.core.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
    Unavailable,
)


class CallUnknown(NotFound):
    """No call of this site has this id."""

    code = "call_unknown"


class AliasMalformed(Invalid):
    """A call id is 1 to 255 printable characters."""

    code = "alias_malformed"


class LaunchTooLarge(Invalid):
    """More than 2 kB of parameters: no call has so long a name."""

    code = "launch_too_large"


class LaunchUnsigned(Forbidden):
    """The site only takes signed launches."""

    code = "launch_unsigned"


class LaunchSignatureWrong(Forbidden):
    """No secret of this site made this signature."""

    code = "launch_signature_wrong"


class LaunchExpired(Forbidden):
    """Signed more than 300 s before or after it arrived."""

    code = "launch_expired"


class LaunchReplayed(Conflict):
    """The nonce opened another page already."""

    code = "launch_replayed"


class WebhookUnsigned(Unauthenticated):
    """A header of the signature is missing."""

    code = "webhook_unsigned"


class WebhookSignatureWrong(Unauthenticated):
    """No secret of this site made this signature; an unknown site is told the same."""

    code = "webhook_signature_wrong"


class WebhookExpired(Unauthenticated):
    """Rightly signed, more than 300 s away."""

    code = "webhook_expired"


class WebhookMalformed(Invalid):
    """Not one JSON object with a list of events."""

    code = "webhook_malformed"


class WebhookTooLarge(Invalid):
    """Past 256 kB."""

    code = "webhook_too_large"


class WebhookTooMany(Invalid):
    """More than 100 events at once."""

    code = "webhook_too_many"


class WebhookKeyMalformed(Invalid):
    """An Idempotency-Key is 1 to 255 printable ASCII characters."""

    code = "webhook_key_malformed"


class WebhookFlood(TooMany):
    """More messages than any call-centre software needs."""

    code = "webhook_flood"


class WebhookReplayed(Conflict):
    """The same timestamp and body came before, without the same key."""

    code = "webhook_replayed"


class WebhookBodyConflict(Conflict):
    """The key came before with another body."""

    code = "webhook_body_conflict"


class WebhookNotReady(Unavailable):
    """The site's line 15 is not running, or cannot take more now."""

    code = "webhook_not_ready"

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
    message = "Cet appel est inconnu ici."


class AliasMalformed(Invalid):
    """A call id is 1 to 255 printable characters."""

    code = "alias_malformed"
    message = "Cet identifiant d'appel n'est pas lisible."


class LaunchTooLarge(Invalid):
    """More than 2 kB of parameters: no call has so long a name."""

    code = "launch_too_large"
    message = "Contexte d'appel trop long (plus de 2 ko), refusé : ouvrez la visiorégulation et choisissez l'appel."


class LaunchUnsigned(Forbidden):
    """The site only takes signed launches."""

    code = "launch_unsigned"
    message = "Contexte d'appel non signé, ignoré : choisissez l'appel dans la liste et saisissez le numéro."


class LaunchSignatureWrong(Forbidden):
    """No secret of this site made this signature."""

    code = "launch_signature_wrong"
    message = "Signature du contexte d'appel incorrecte, contexte ignoré : choisissez l'appel et saisissez le numéro."


class LaunchExpired(Forbidden):
    """Signed more than 300 s before or after it arrived."""

    code = "launch_expired"
    message = "Contexte d'appel trop ancien, ignoré : rouvrez la page depuis l'appel."


class LaunchReplayed(Conflict):
    """The nonce opened another page already."""

    code = "launch_replayed"
    message = "Ce contexte d'appel a déjà servi, ignoré : rouvrez la page depuis l'appel."


class WebhookUnsigned(Unauthenticated):
    """A header of the signature is missing."""

    code = "webhook_unsigned"
    message = "En-têtes de signature absents."


class WebhookSignatureWrong(Unauthenticated):
    """No secret of this site made this signature; an unknown site is told the same."""

    code = "webhook_signature_wrong"
    message = "Signature incorrecte."


class WebhookExpired(Unauthenticated):
    """Rightly signed, more than 300 s away."""

    code = "webhook_expired"
    message = "Horodatage trop éloigné de l'heure du serveur."


class WebhookMalformed(Invalid):
    """Not one JSON object with a list of events."""

    code = "webhook_malformed"
    message = "Le corps n'est pas un objet JSON avec une liste « events »."


class WebhookTooLarge(Invalid):
    """Past 256 kB."""

    code = "webhook_too_large"
    message = "Le corps dépasse 256 ko."


class WebhookTooMany(Invalid):
    """More than 100 events at once."""

    code = "webhook_too_many"
    message = "Plus de 100 événements : envoyez-les en plusieurs fois."


class WebhookKeyMalformed(Invalid):
    """An Idempotency-Key is 1 to 255 printable ASCII characters."""

    code = "webhook_key_malformed"
    message = "En-tête Idempotency-Key illisible."


class WebhookFlood(TooMany):
    """More messages than any call-centre software needs."""

    code = "webhook_flood"
    message = "Trop de messages : renvoyez le même dans quelques secondes."


class WebhookReplayed(Conflict):
    """The same timestamp and body came before, without the same key."""

    code = "webhook_replayed"
    message = "Ce message signé a déjà été reçu."


class WebhookBodyConflict(Conflict):
    """The key came before with another body."""

    code = "webhook_body_conflict"
    message = "Cette clé a déjà servi pour un autre corps."


class WebhookNotReady(Unavailable):
    """The site's line 15 is not running, or cannot take more now."""

    code = "webhook_not_ready"
    message = "La téléphonie de ce site n'est pas prête : renvoyez dans quelques secondes."

"""Refusals of requests, links and sockets, whoever asks."""

from server.core.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unavailable


class HostUnknown(Invalid):
    """A request under a name that is not in the configuration: somebody else's name may lead here (DNS rebinding)."""

    code = "host_unknown"
    message = "Ce nom ne mène pas à ce service : prenez l'adresse donnée par l'administrateur."


class OriginForeign(Forbidden):
    """The page that speaks is not ours."""

    code = "origin_foreign"
    message = "Origine refusée."


class XsrfRefused(Forbidden):
    """The form does not come from our page."""

    code = "xsrf_refused"
    message = "La page a expiré : rechargez-la et recommencez."


class CookiesMissing(XsrfRefused):
    """The browser sends back none of the cookies it was given with the page: it blocks them."""

    code = "cookies_missing"
    message = (
        "Ce navigateur bloque les cookies : autorisez-les pour ce site, puis rechargez la page."
    )


class InvitationLinkUnknown(NotFound):
    """No invitation has this token."""

    code = "link_unknown"
    message = "Ce lien n'existe pas : demandez un nouveau message."


class InvitationLinkExpired(Conflict):
    """The link is older than its fifteen minutes and was never tapped."""

    code = "link_expired"
    message = "Ce lien a expiré : renvoyez une invitation."
    say = "Je vous envoie un nouveau message, ne touchez plus l'ancien."


class MessageOutOfOrder(Invalid):
    """Known, but not now."""

    code = "message_out_of_order"
    message = "Message inattendu à ce moment."


class MessageFlood(TooMany):
    """More frames a second than any page sends."""

    code = "message_flood"


class PolledSocketUnknown(NotFound):
    """No such line by requests, or another browser's, or one that ended: its page opens another."""

    code = "wire_unknown"
    message = "Cette liaison est terminée : la page en ouvre une autre."


class PolledSocketGap(Conflict):
    """Frames before these are missing: the page says them again."""

    code = "wire_gap"
    message = "Il manque des messages de la page : elle les envoie de nouveau."


class PolledSocketsFull(Unavailable):
    """As many pages are connected by requests as there may be."""

    code = "wires_full"
    message = "Trop de téléphones passent par des requêtes en ce moment : la page réessaie."

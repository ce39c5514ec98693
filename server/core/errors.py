"""Every refusal a person or a peer can meet, with its stable code.

`code` is the contract (docs/protocol.md); `message` is French, for professionals, and says what to
do next; `say` is a sentence the
regulator can read aloud to the caller. HTTP status and socket close code come from the family, in `server/web/status.py`.
"""

from typing import ClassVar


class AppError(Exception):
    """Root of what the product refuses on purpose; anything else is our mistake."""

    code: ClassVar[str] = "error"
    message: ClassVar[str] = "La demande n'a pas pu être traitée."
    say: ClassVar[str] = ""

    def __init__(self, detail: str = "", **facts: object) -> None:
        """Keep `detail` for the log: ids and slugs only, never personal data; `facts` for the page that asked."""
        super().__init__(detail or self.code)
        self.detail = detail
        self.facts = facts


class Invalid(AppError):
    """The input is wrong and repeating it will not help."""

    code = "invalid"
    message = "La saisie n'est pas valable : vérifiez et recommencez."


class HostUnknown(Invalid):
    """A request under a name that is not in the configuration: somebody else's name may lead here (DNS rebinding)."""

    code = "host_unknown"
    message = "Ce nom ne mène pas à ce service : prenez l'adresse donnée par l'administrateur."


class Unauthenticated(AppError):
    """Nobody is signed in, or the session was revoked."""

    code = "not_signed_in"
    message = "Votre session est terminée : reconnectez-vous."


class Forbidden(AppError):
    """The role does not carry this permission."""

    code = "forbidden"
    message = "Votre rôle ne permet pas cette action."


class NotFound(AppError):
    """It does not exist, or may not be shown: the answer is the same (I7)."""

    code = "not_found"
    message = "Introuvable."


class Conflict(AppError):
    """Another writer was first; load again."""

    code = "conflict"
    message = "La situation a changé entre-temps : la page est à jour, recommencez."


class TooMany(AppError):
    """A limit protects the service."""

    code = "too_many"
    message = "Trop de demandes : attendez une minute."


class Unavailable(AppError):
    """A part we need does not answer; nothing was lost."""

    code = "unavailable"
    message = "Le service est momentanément indisponible : réessayez dans quelques secondes."


class DemonstrationRefused(Unavailable):
    """The demonstration on a database that somebody works with: its outbox would show their codes."""

    code = "demonstration_refused"
    message = "Cette base n'a pas été faite par la démonstration : retirez demo, ou donnez une autre base."


# --- stills and photos -----------------------------------------------------------------------------
class PictureMalformed(Invalid):
    """What came is not one plain JPEG."""

    code = "picture_malformed"
    message = "Cette image n'est pas lisible : demandez à l'appelant d'en prendre une autre."
    say = "Prenez une autre photo, s'il vous plaît."


class PictureTooLarge(Invalid):
    """More bytes or more pixels than a page of ours sends."""

    code = "picture_too_large"
    message = "Cette image est trop grande : demandez à l'appelant d'en prendre une autre."


class PictureTooMany(TooMany):
    """More pictures than a page of ours sends."""

    code = "picture_too_many"
    message = "Trop d'images en peu de temps : la suivante passera dans quelques secondes."


class PhotoUnknown(NotFound):
    """No photo of this site has this id, or its session has ended."""

    code = "photo_unknown"
    message = "Cette photo n'est plus là : les photos ne sont gardées que le temps de la vidéo."


# --- recordings ------------------------------------------------------------------------------------
class RecordingUnknown(NotFound):
    """No recording of this site has this id."""

    code = "recording_unknown"
    message = "Cet enregistrement n'existe pas."


class RecordingMissing(NotFound):
    """The reference is known, the file is not where it should be."""

    code = "recording_missing"
    message = (
        "Le fichier de cet enregistrement est absent : prévenez l'administrateur de l'enregistreur."
    )


class RecordingErased(NotFound):
    """The reference was erased with the person it named."""

    code = "recording_erased"
    message = "La référence de cet enregistrement a été effacée."


class RecordingOutside(NotFound):
    """No configured folder of this site holds this path."""

    code = "recording_outside"
    message = "Cet enregistrement n'est dans aucun dossier configuré pour ce site : prévenez l'administrateur."


class RecordingsAway(Unavailable):
    """The folder itself cannot be read: a network disk that is not there."""

    code = "recordings_away"
    message = "Le dossier des enregistrements ne répond pas : réessayez plus tard, ou prévenez l'administrateur."


# --- contacts --------------------------------------------------------------------------------------
class NumberImpossible(Invalid):
    """No telephone number has this form."""

    code = "number_impossible"
    message = "Ce numéro n'existe pas : relisez-le avec l'appelant."
    say = "Pouvez-vous me redonner le numéro de votre téléphone portable, chiffre par chiffre ?"


class NumberAmbiguous(Invalid):
    """A number abroad, or a French one behind the 0 of an outside line, the number of a room or a prefix."""

    code = "number_ambiguous"
    message = (
        "Ce numéro a deux lectures : retirez ce qui le précède (0 de sortie, chambre…), "
        "ou écrivez + et l'indicatif du pays."
    )
    say = "Pouvez-vous me redonner le numéro de votre téléphone portable, chiffre par chiffre ?"


class NumberLandline(Invalid):
    """A landline cannot receive the link."""

    code = "number_landline"
    message = "C'est un téléphone fixe : il ne reçoit pas de SMS. Demandez un mobile ou une adresse e-mail."
    say = "Quelqu'un près de vous a-t-il un téléphone portable ? Donnez-moi son numéro."


class EmailImpossible(Invalid):
    """No mailbox has this form."""

    code = "email_impossible"
    message = "Cette adresse e-mail n'est pas valable : relisez-la avec l'appelant."
    say = "Pouvez-vous m'épeler votre adresse e-mail ?"


class ContactMissing(Invalid):
    """Neither a mobile nor an address was given."""

    code = "contact_missing"
    message = "Indiquez un numéro de mobile ou une adresse e-mail."
    say = "Quel est le numéro de votre téléphone portable ?"


class AlreadyInvited(Conflict):
    """A session for the same contact and call has not ended: a second one is made on purpose only.

    Facts: `session`, its `station`, and `by`, the name of who made it.
    """

    code = "already_invited"
    message = "Une session de ce contact n’est pas terminée : renvoyez le lien, ou créez exprès une autre session."


# --- links -----------------------------------------------------------------------------------------
class LinkUnknown(NotFound):
    """No invitation has this token."""

    code = "link_unknown"
    message = "Ce lien n'existe pas : demandez un nouveau message."


class SpokenWrong(NotFound):
    """No live code has these digits, or another browser used it: the answer is the same."""

    code = "code_wrong"
    message = "Ce code n'est pas valable : relisez-le, ou demandez-en un nouveau au médecin."


class SpokenThrottled(TooMany):
    """Too many wrong codes from this address."""

    code = "code_throttled"
    message = "Trop de codes faux depuis cette connexion : attendez quelques minutes."


class CodesTooMany(TooMany):
    """So many codes wait to be typed that they could be guessed."""

    code = "code_too_many"
    message = "Trop de codes attendent d'être saisis : envoyez un SMS ou un e-mail, ou réessayez plus tard."


class NameMissing(Invalid):
    """An observer is seen by all, so all must read who it is."""

    code = "name_missing"
    message = "Indiquez le nom de la personne invitée : tous ceux qui voient l'image le liront."


class OfferGone(Conflict):
    """Somebody was faster: taken, withdrawn, or offered elsewhere."""

    code = "offer_gone"
    message = (
        "Cette session n'est plus proposée à ce poste : elle a été prise ou l'offre a été retirée."
    )


class ViewersFull(Conflict):
    """The phone's uplink bears no more connections."""

    code = "viewers_full"
    message = "Trois personnes voient ou peuvent voir cette image : retirez d'abord un observateur."


class ObserverRemoved(Forbidden):
    """A desk took the picture from this observer."""

    code = "observer_removed"
    message = "Le régulateur a mis fin à votre accès à cette image."


class LinkExpired(Conflict):
    """The link is older than its fifteen minutes and was never tapped."""

    code = "link_expired"
    message = "Ce lien a expiré : renvoyez une invitation."
    say = "Je vous envoie un nouveau message, ne touchez plus l'ancien."


class LinkRevoked(Conflict):
    """The regulator withdrew the link."""

    code = "link_revoked"
    message = "Ce lien a été annulé."


class OpenElsewhere(Conflict):
    """The link is bound to the first browser that tapped (I5)."""

    code = "open_elsewhere"
    message = "Ce lien est déjà ouvert sur un autre appareil."
    say = "Le lien est ouvert sur un autre téléphone : gardez celui qui filme."


class SessionEnded(Conflict):
    """The video is over."""

    code = "session_ended"
    message = "Cette vidéo est terminée."


# --- calls -----------------------------------------------------------------------------------------
class CallUnknown(NotFound):
    """No call of this site has this id."""

    code = "call_unknown"
    message = "Cet appel est inconnu ici."


class AliasMalformed(Invalid):
    """A call id is 1 to 255 printable characters."""

    code = "alias_malformed"
    message = "Cet identifiant d'appel n'est pas lisible."


class LinkReasonMissing(Invalid):
    """A link that stands is corrected with a reason, written by whoever corrects it."""

    code = "link_reason_missing"
    message = "Écrivez la raison de la correction, en quelques mots (300 signes au plus)."


class LinkChanged(Conflict):
    """Another person, or a late word of the telephony, linked this video meanwhile."""

    code = "link_changed"
    message = "Le lien de cette vidéo a changé entre-temps : relisez, puis recommencez."


class IncidentChanged(Conflict):
    """Another person changed this incident since it was read."""

    code = "incident_changed"
    message = "Une autre personne a modifié ce signalement entre-temps : relisez, puis recommencez."


class CallAmbiguous(Conflict):
    """Several calls bear this name."""

    code = "call_ambiguous"
    message = "Plusieurs appels portent cet identifiant : ouvrez le bon depuis le journal et copiez le sien."


class StationUnknown(NotFound):
    """The site has no such station."""

    code = "station_unknown"
    message = "Ce poste n'existe pas sur votre site."


# --- signalling (I1) -------------------------------------------------------------------------------
class SdpRefused(Invalid):
    """The description breaks the rule of the muted picture."""

    code = "sdp_refused"
    message = "La description du média est refusée."


class SdpAudio(SdpRefused):
    """An audio m-line: never, in any session (I1)."""

    code = "sdp_audio"
    message = "Le son est interdit dans la vidéo : la voix reste sur la ligne 15."


class SdpCodec(SdpRefused):
    """A codec that is not known as one of pictures (I1)."""

    code = "sdp_codec"
    message = (
        "Ce navigateur propose un format d'image inconnu de cette version : essayez-en un autre."
    )


class SdpDataChannel(SdpRefused):
    """A data channel was never planned (I1)."""

    code = "sdp_data_channel"


class SdpTooLarge(SdpRefused):
    """Larger than any honest description."""

    code = "sdp_too_large"


class SdpMalformed(SdpRefused):
    """Not a session description (RFC 8866) with exactly one video m-line."""

    code = "sdp_malformed"


class CandidateMalformed(Invalid):
    """Not an ICE candidate (RFC 8839)."""

    code = "candidate_malformed"


class CandidateLeftOut(Invalid):
    """An ICE candidate at which no peer can be: it goes no further, and only the count tells."""

    code = "candidate_left_out"
    message = "Une adresse réseau inutilisable n'a pas été transmise à l'autre appareil."


class MessageMalformed(Invalid):
    """Not a JSON object of a known form."""

    code = "message_malformed"
    message = "Message illisible."


class MessageUnknown(Invalid):
    """A type this protocol does not have."""

    code = "message_unknown"
    message = "Message inconnu."


class MessageTooLarge(Invalid):
    """Past 64 kB."""

    code = "message_too_large"
    message = "Message trop grand."


class MessageOutOfOrder(Invalid):
    """Known, but not now."""

    code = "message_out_of_order"
    message = "Message inattendu à ce moment."


class MessageFlood(TooMany):
    """More frames a second than any page sends."""

    code = "message_flood"


class OriginForeign(Forbidden):
    """The page that speaks is not ours."""

    code = "origin_foreign"
    message = "Origine refusée."


class TakenOver(Conflict):
    """Another desk took this station: the newer wins, the older is told."""

    code = "taken_over"
    message = "Ce poste est ouvert dans une autre fenêtre."


class StationTaken(Conflict):
    """Another person's desk sits there: it is taken on purpose only.

    Facts: `station`, `by`, `own`, `since`, `live`.
    """

    code = "station_taken"
    message = "Ce poste est tenu : prenez-le, ou choisissez-en un autre."


# --- sign-in ---------------------------------------------------------------------------------------
class BadCredentials(Unauthenticated):
    """Identifier, password or code is wrong: never said which."""

    code = "bad_credentials"
    message = "Identifiant, mot de passe ou code incorrect."


class CodeExpired(Unauthenticated):
    """Five minutes or five tries are over."""

    code = "code_expired"
    message = "Ce code n'est plus valable : demandez-en un nouveau."


class LoginThrottled(TooMany):
    """Back-off for this account or address."""

    code = "login_throttled"
    message = "Trop d'essais : attendez quelques minutes avant de recommencer."


class SignInOver(Unauthenticated):
    """The sign-in has ended; what its desk held may be finished, nothing else is begun."""

    code = "sign_in_over"
    message = "Votre connexion est terminée : la vidéo commencée reste ouverte, reconnectez-vous pour le reste."


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


# --- launch and call events: signed from outside ----------------------------------------------------
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


# --- remote help -----------------------------------------------------------------------------------
class PhoneAway(Conflict):
    """Nobody is there to do it."""

    code = "phone_away"
    message = (
        "Le téléphone n'est pas relié au serveur en ce moment : rien n'a été demandé, réessayez."
    )


class WireUnknown(NotFound):
    """No such line by requests, or another browser's, or one that ended: its page opens another."""

    code = "wire_unknown"
    message = "Cette liaison est terminée : la page en ouvre une autre."


class WireGap(Conflict):
    """Frames before these are missing: the page says them again."""

    code = "wire_gap"
    message = "Il manque des messages de la page : elle les envoie de nouveau."


class WiresFull(Unavailable):
    """As many pages are connected by requests as there may be."""

    code = "wires_full"
    message = "Trop de téléphones passent par des requêtes en ce moment : la page réessaie."


class HelpFlood(TooMany):
    """The phone has not answered the orders it has."""

    code = "help_flood"
    message = "Le téléphone ne répond pas assez vite : attendez quelques secondes."


class PointerFlood(TooMany):
    """More places than anybody points at; counted, never told: the newest is sent all the same."""

    code = "pointer_flood"
    message = "Trop de positions par seconde."


class SnapshotNotAllowed(Forbidden):
    """The site keeps no pictures."""

    code = "snapshot_not_allowed"
    message = "Ce site ne conserve pas de photo : demandez au référent."


class SnapshotTooMany(TooMany):
    """More pictures of one video than anybody looks at again."""

    code = "snapshot_too_many"
    message = "Cette vidéo a déjà 40 photos : aucune autre n'est conservée."


class SnapshotUnknown(NotFound):
    """No picture of this site has this id."""

    code = "snapshot_unknown"
    message = "Cette photo n'existe pas."


class SnapshotErased(NotFound):
    """It was erased."""

    code = "snapshot_erased"
    message = "Cette photo a été effacée à la demande de la personne concernée."


# --- our own parts ---------------------------------------------------------------------------------
class StorageUnavailable(Unavailable):
    """The database is locked, full or gone."""

    code = "storage_unavailable"
    message = "L'enregistrement est momentanément impossible : rien n'a été envoyé, réessayez."


class CarrierUnavailable(Unavailable):
    """The gateway did not accept the message; it is tried again."""

    code = "carrier_unavailable"


class TooManyMessages(TooMany):
    """The hour's SMS of this site or to this number are used up: against a runaway bill and harassment."""

    code = "too_many_messages"
    message = "Trop de SMS en une heure, pour ce numéro ou ce site : envoyez un e-mail, ou prévenez l'administrateur."
    say = "Avez-vous une adresse e-mail, ou un autre téléphone portable près de vous ?"


class TooManyReports(TooMany):
    """One person sent more incidents in an hour than anybody writes."""

    code = "too_many_reports"
    message = (
        "Vous avez envoyé beaucoup de signalements en une heure : attendez, ou appelez le référent."
    )


class SelftestRunning(Conflict):
    """The same person began another self-test: one at a time measures."""

    code = "selftest_running"
    message = "Un autre test a commencé avec votre compte : celui-ci s'arrête."


class SelftestSpent(TooMany):
    """A self-test sent more than a measurement needs."""

    code = "selftest_spent"
    message = "Assez de mesures pour l'instant : attendez dix minutes, puis recommencez."


class CarrierRefused(Invalid):
    """The gateway refuses this message for good."""

    code = "carrier_refused"
    message = "L'opérateur refuse ce message."
    say = "Le message ne peut pas partir vers ce numéro. Avez-vous un autre téléphone ou une adresse e-mail ?"


class SchemaMismatch(Unavailable):
    """The database is of another release: run `visio15 migrate`."""

    code = "schema_mismatch"


def walk(root: type[AppError] = AppError) -> list[type[AppError]]:
    """List `root` and every subclass, so a test can check each one's code and wire mapping."""
    found = [root]
    for child in root.__subclasses__():
        found.extend(walk(child))
    return found

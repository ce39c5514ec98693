"""What a professional reads of a refusal, on every page and socket: French, and what to do next.

By code, one sentence each. A code without one is met at a shell only (server/core/words/for_shell.py).
"""

from collections.abc import Mapping
from typing import Final

from server.core.errors import AppError

SENTENCES: Final[Mapping[str, str]] = {
    # core
    "error": "La demande n'a pas pu être traitée.",
    "invalid": "La saisie n'est pas valable : vérifiez et recommencez.",
    "not_signed_in": "Votre session est terminée : reconnectez-vous.",
    "forbidden": "Votre rôle ne permet pas cette action.",
    "not_found": "Introuvable.",
    "conflict": "La situation a changé entre-temps : la page est à jour, recommencez.",
    "too_many": "Trop de demandes : attendez une minute.",
    "unavailable": "Le service est momentanément indisponible : réessayez dans quelques secondes.",
    "station_unknown": "Ce poste n'existe pas sur votre site.",
    "storage_unavailable": (
        "L'enregistrement est momentanément impossible : rien n'a été envoyé, réessayez."
    ),
    "site_policy_unreadable": (
        "Ce que le site a décidé n'est pas lisible par cette version : rien n'a été changé."
    ),
    # web
    "host_unknown": (
        "Ce nom ne mène pas à ce service : prenez l'adresse donnée par l'administrateur."
    ),
    "origin_foreign": "Origine refusée.",
    "xsrf_refused": "La page a expiré : rechargez-la et recommencez.",
    "cookies_missing": (
        "Ce navigateur bloque les cookies : autorisez-les pour ce site, puis rechargez la page."
    ),
    "link_unknown": "Ce lien n'existe pas : demandez un nouveau message.",
    "link_expired": "Ce lien a expiré : renvoyez une invitation.",
    "message_out_of_order": "Message inattendu à ce moment.",
    "message_flood": "Trop de demandes : attendez une minute.",
    "wire_unknown": "Cette liaison est terminée : la page en ouvre une autre.",
    "wire_gap": "Il manque des messages de la page : elle les envoie de nouveau.",
    "wires_full": "Trop de téléphones passent par des requêtes en ce moment : la page réessaie.",
    # protocol
    "sdp_refused": "La description du média est refusée.",
    "sdp_too_large": "La description du média est refusée.",
    "message_malformed": "Message illisible.",
    "message_unknown": "Message inconnu.",
    "message_too_large": "Message trop grand.",
    # identity
    "bad_credentials": "Identifiant, mot de passe ou code incorrect.",
    "code_expired": "Ce code n'est plus valable : demandez-en un nouveau.",
    "login_throttled": "Trop d'essais : attendez quelques minutes avant de recommencer.",
    "sign_in_over": (
        "Votre connexion est terminée : la vidéo commencée reste ouverte, reconnectez-vous pour "
        "le reste."
    ),
    # delivery
    "number_impossible": "Ce numéro n'existe pas : relisez-le avec l'appelant.",
    "number_ambiguous": (
        "Ce numéro a deux lectures : retirez ce qui le précède (0 de sortie, chambre…), "
        "ou écrivez + et l'indicatif du pays."
    ),
    "number_landline": (
        "C'est un téléphone fixe : il ne reçoit pas de SMS. Demandez un mobile ou une adresse "
        "e-mail."
    ),
    "email_impossible": "Cette adresse e-mail n'est pas valable : relisez-la avec l'appelant.",
    "contact_missing": "Indiquez un numéro de mobile ou une adresse e-mail.",
    "too_many_messages": (
        "Trop de SMS en une heure, pour ce numéro ou ce site : envoyez un e-mail, ou prévenez "
        "l'administrateur."
    ),
    "carrier_unavailable": (
        "Le service est momentanément indisponible : réessayez dans quelques secondes."
    ),
    "carrier_refused": "L'opérateur refuse ce message.",
    # line15
    "call_unknown": "Cet appel est inconnu ici.",
    "alias_malformed": "Cet identifiant d'appel n'est pas lisible.",
    "launch_too_large": (
        "Contexte d'appel trop long (plus de 2 ko), refusé : ouvrez la visiorégulation et "
        "choisissez l'appel."
    ),
    "launch_unsigned": (
        "Contexte d'appel non signé, ignoré : choisissez l'appel dans la liste et saisissez le "
        "numéro."
    ),
    "launch_signature_wrong": (
        "Signature du contexte d'appel incorrecte, contexte ignoré : choisissez l'appel et "
        "saisissez le numéro."
    ),
    "launch_expired": "Contexte d'appel trop ancien, ignoré : rouvrez la page depuis l'appel.",
    "launch_replayed": "Ce contexte d'appel a déjà servi, ignoré : rouvrez la page depuis l'appel.",
    "webhook_unsigned": "En-têtes de signature absents.",
    "webhook_signature_wrong": "Signature incorrecte.",
    "webhook_expired": "Horodatage trop éloigné de l'heure du serveur.",
    "webhook_malformed": "Le corps n'est pas un objet JSON avec une liste « events ».",
    "webhook_too_large": "Le corps dépasse 256 ko.",
    "webhook_too_many": "Plus de 100 événements : envoyez-les en plusieurs fois.",
    "webhook_key_malformed": "En-tête Idempotency-Key illisible.",
    "webhook_flood": "Trop de messages : renvoyez le même dans quelques secondes.",
    "webhook_replayed": "Ce message signé a déjà été reçu.",
    "webhook_body_conflict": "Cette clé a déjà servi pour un autre corps.",
    "webhook_not_ready": (
        "La téléphonie de ce site n'est pas prête : renvoyez dans quelques secondes."
    ),
    # video
    "session_ended": "Cette vidéo est terminée.",
    "open_elsewhere": "Ce lien est déjà ouvert sur un autre appareil.",
    "sdp_audio": "Le son est interdit dans la vidéo : la voix reste sur la ligne 15.",
    "sdp_codec": (
        "Ce navigateur propose un format d'image inconnu de cette version : essayez-en un autre."
    ),
    "sdp_data_channel": "La description du média est refusée.",
    "sdp_malformed": "La description du média est refusée.",
    "candidate_malformed": "La saisie n'est pas valable : vérifiez et recommencez.",
    "candidate_left_out": (
        "Une adresse réseau inutilisable n'a pas été transmise à l'autre appareil."
    ),
    "phone_away": (
        "Le téléphone n'est pas relié au serveur en ce moment : rien n'a été demandé, réessayez."
    ),
    "help_flood": "Le téléphone ne répond pas assez vite : attendez quelques secondes.",
    "picture_malformed": (
        "Cette image n'est pas lisible : demandez à l'appelant d'en prendre une autre."
    ),
    "picture_too_large": (
        "Cette image est trop grande : demandez à l'appelant d'en prendre une autre."
    ),
    "picture_too_many": (
        "Trop d'images en peu de temps : la suivante passera dans quelques secondes."
    ),
    "photo_unknown": (
        "Cette photo n'est plus là : les photos ne sont gardées que le temps de la vidéo."
    ),
    "snapshot_not_allowed": "Ce site ne conserve pas de photo : demandez au référent.",
    "snapshot_too_many": "Cette vidéo a déjà 40 photos : aucune autre n'est conservée.",
    "snapshot_unknown": "Cette photo n'existe pas.",
    "snapshot_erased": "Cette photo a été effacée à la demande de la personne concernée.",
    # invitations
    "already_invited": (
        "Une session de ce contact n’est pas terminée : renvoyez le lien, ou créez exprès une "
        "autre session."
    ),
    "link_revoked": "Ce lien a été annulé.",
    "code_wrong": "Ce code n'est pas valable : relisez-le, ou demandez-en un nouveau au médecin.",
    "code_throttled": "Trop de codes faux depuis cette connexion : attendez quelques minutes.",
    "code_too_many": (
        "Trop de codes attendent d'être saisis : envoyez un SMS ou un e-mail, ou réessayez plus "
        "tard."
    ),
    # observers
    "name_missing": (
        "Indiquez le nom de la personne invitée : tous ceux qui voient l'image le liront."
    ),
    "viewers_full": (
        "Trois personnes voient ou peuvent voir cette image : retirez d'abord un observateur."
    ),
    "observer_removed": "Le régulateur a mis fin à votre accès à cette image.",
    # recordings
    "recording_unknown": "Cet enregistrement n'existe pas.",
    "recording_missing": (
        "Le fichier de cet enregistrement est absent : prévenez l'administrateur de l'enregistreur."
    ),
    "recording_erased": "La référence de cet enregistrement a été effacée.",
    "recording_outside": (
        "Cet enregistrement n'est dans aucun dossier configuré pour ce site : prévenez "
        "l'administrateur."
    ),
    "recordings_away": (
        "Le dossier des enregistrements ne répond pas : réessayez plus tard, ou prévenez "
        "l'administrateur."
    ),
    # reconcile
    "link_reason_missing": (
        "Écrivez la raison de la correction, en quelques mots (300 signes au plus)."
    ),
    "link_changed": "Le lien de cette vidéo a changé entre-temps : relisez, puis recommencez.",
    "call_ambiguous": (
        "Plusieurs appels portent cet identifiant : ouvrez le bon depuis le journal et copiez le "
        "sien."
    ),
    # desk
    "offer_gone": (
        "Cette session n'est plus proposée à ce poste : elle a été prise ou l'offre a été retirée."
    ),
    "taken_over": "Ce poste est ouvert dans une autre fenêtre.",
    "station_taken": "Ce poste est tenu : prenez-le, ou choisissez-en un autre.",
    "pointer_flood": "Trop de positions par seconde.",
    # incidents
    "incident_changed": (
        "Une autre personne a modifié ce signalement entre-temps : relisez, puis recommencez."
    ),
    "too_many_reports": (
        "Vous avez envoyé beaucoup de signalements en une heure : attendez, ou appelez le référent."
    ),
    # selftest
    "selftest_running": "Un autre test a commencé avec votre compte : celui-ci s'arrête.",
    "selftest_spent": "Assez de mesures pour l'instant : attendez dix minutes, puis recommencez.",
}


def for_doctor(error: AppError) -> str:
    """Return the sentence of its code, else of its family."""
    return next(SENTENCES[code] for code in error.codes() if code in SENTENCES)

"""What an administrator reads of a refusal at a shell: French, and which command, file or key puts it right.

By code, or by code and detail (`not_found.site`), which says what it is about; `{file}` is one of the refusal's facts.
Commands, `visio15 doctor` and the demonstration read this catalogue only, never a screen's (an import contract).
"""

from collections.abc import Mapping
from typing import Final

from server.core.errors import AppError

SENTENCES: Final[Mapping[str, str]] = {
    # families: whatever has no sentence of its own
    "error": "La commande n'a pas abouti : « visio15 doctor » dit ce qui manque.",
    "invalid": "Un argument n'est pas valable : --help dit ce qui est attendu.",
    "not_signed_in": (
        "L'identification est refusée : vérifiez les comptes et secrets de la configuration."
    ),
    "forbidden": "La configuration ne le permet pas : voir docs/operations.md.",
    "not_found": (
        "Rien ne porte ce nom : « visio15 site list », « station list » et « user list » disent "
        "ce qui existe."
    ),
    "conflict": (
        "Un autre programme l'a changé au même moment, rien n'a été écrit : relancez la commande."
    ),
    "too_many": "Une limite protège le service : attendez une minute, puis relancez la commande.",
    "unavailable": "Une partie nécessaire ne répond pas : « visio15 doctor » dit laquelle.",
    # sites, stations, users
    "not_found.site": "Aucun site n'a cette clé : « visio15 site list » les montre.",
    "not_found.user": "Aucun utilisateur n'a cet identifiant : « visio15 user list » les montre.",
    "not_found.observer": (
        "Personne de ce nom : « visio15 site observer list CLÉ » montre la liste du site."
    ),
    "not_found.secret": (
        "Aucun secret actif n'a ce KID : « visio15 site secret CLÉ --list » les montre."
    ),
    "station_unknown": "Ce site n'a pas ce poste : « visio15 station list SITE » les montre.",
    "conflict.site_key": (
        "Un site a déjà cette clé (« visio15 site list ») : choisissez-en une autre."
    ),
    "conflict.station_extension": (
        "Ce site a déjà un poste de ce numéro : « visio15 station list SITE » les montre."
    ),
    "conflict.observer_name": (
        "Ce nom est déjà sur la liste : « visio15 site observer remove » l'en retire."
    ),
    "conflict.user_identifier": (
        "Cet identifiant est pris, sur ce site ou un autre (« visio15 user list »)."
    ),
    "invalid.site_key": (
        "La clé d'un site a 1 à 64 lettres minuscules, chiffres ou tirets, et ne commence pas par "
        "un tiret."
    ),
    "invalid.sms_sender": (
        "--sms-sender : 11 lettres, chiffres ou espaces au plus, ou un numéro de 3 à 15 chiffres."
    ),
    "invalid.extension": (
        "Le numéro d'un poste a 1 à 32 lettres, chiffres ou signes * # + . _ -, comme au standard."
    ),
    "invalid.name": "Le nom est vide ou trop long : 64 signes, pour un utilisateur 128.",
    "invalid.identifier": (
        "Un identifiant a 2 à 64 lettres, chiffres ou signes . _ @ -, et commence par une lettre "
        "ou un chiffre."
    ),
    "invalid.password_length": "Un mot de passe a 12 à 1024 signes.",
    "invalid.contact_for_code": (
        "Le code de connexion doit arriver quelque part : donnez --email, --mobile ou les deux."
    ),
    "invalid.one_contact": "Donnez --mobile ou --email, et un seul des deux.",
    "site_policy_unreadable": (
        "Lancez la version qui l'a écrit, ou corrigez « policy » dans la table « site » : "
        "voir docs/operations.md#what-a-site-decides."
    ),
    # numbers and addresses
    "number_impossible": (
        "Ce numéro n'existe pas : écrivez ses dix chiffres, ou + et l'indicatif du pays."
    ),
    "number_impossible.not_mobile": (
        "Ce numéro n'est pas celui d'un mobile : donnez-en un autre, ou --email."
    ),
    "number_ambiguous": "Ce numéro a deux lectures : écrivez-le avec + et l'indicatif du pays.",
    "number_landline": "C'est un téléphone fixe, sans SMS : donnez un mobile, ou --email.",
    "email_impossible": "Cette adresse n'est pas de la forme nom@domaine : corrigez-la.",
    # call detail records
    "invalid.timezone": "Ce fuseau est inconnu : --timezone prend un nom comme Europe/Paris.",
    # the database
    "storage_unavailable": (
        "La base n'a pas répondu : vérifiez database, ses droits et le disque (« visio15 doctor »)."
    ),
    "storage_unavailable.gone": (
        "Le fichier de la base n'est plus là : remettez-le, ou restaurez une copie "
        "(« visio15 restore »)."
    ),
    "storage_unavailable.no_driver": (
        "Il manque asyncpg : installez l'extra visio15[postgres] (docs/operations.md#postgresql)."
    ),
    "schema_mismatch": "La base est d'une autre version : lancez « visio15 migrate ».",
    "schema_mismatch.empty": "La base est vide : lancez « visio15 migrate ».",
    "schema_mismatch.older": (
        "La base est d'une version précédente : faites une copie (« visio15 backup »), "
        "puis lancez « visio15 migrate »."
    ),
    "schema_mismatch.newer": (
        "La base est d'une version plus récente que ce programme : installez cette version, "
        "ou restaurez une copie."
    ),
    "schema_mismatch.no_revision": (
        "Le programme est incomplet, ses migrations manquent : réinstallez-le."
    ),
    "demonstration_refused": (
        "Cette base n'a pas été faite par la démonstration : "
        "retirez demo, ou donnez une autre base dans database."
    ),
    "invalid.sealed": (
        "Ce qui est scellé ne s'ouvre pas : secret_key n'est pas celle de cette base."
    ),
    # the certificate
    "certificate_unusable": (
        "Le certificat ne peut pas être servi : vérifiez tls_certificate et tls_key."
    ),
    "certificate_unusable.unreadable": (
        "{certificate} n'est pas un certificat PEM lisible : donnez la chaîne complète."
    ),
    "certificate_unusable.key_unreadable": (
        "{key} n'est pas une clé PEM lisible et sans mot de passe."
    ),
    "certificate_unusable.key_foreign": (
        "{key} n'est pas la clé de {certificate} : renouvelez les deux ensemble."
    ),
    "certificate_unusable.tls": (
        "{certificate} et {key} sont refusés par TLS : vérifiez la chaîne et la clé."
    ),
    "certificate_unusable.not_today": "{certificate} n'est pas valable aujourd'hui.",
    # copies
    "backup_refused": (
        "La copie est refusée, rien n'a été changé : voir docs/operations.md#backup-and-restore."
    ),
    "backup_refused.exists": "{file} existe déjà : donnez un autre nom.",
    "backup_refused.file": "{file} : {why}. Vérifiez le chemin, les droits et la place.",
    "backup_refused.not_empty": "La base n'est pas vide : --force remplace ce qu'elle contient.",
    "backup_refused.other_kind": (
        "{file} n'est pas une sauvegarde de ce type de base : vérifiez database et le fichier."
    ),
    "backup_refused.schema": (
        "Le schéma de la copie ({found}) est inconnu de cette version : installez celle qui l'a "
        "écrite."
    ),
    "backup_refused.damaged": "{file} : fichier abîmé ({why}). Prenez une autre copie.",
    "backup_refused.absent": "{file} n'existe pas : vérifiez database.",
    "backup_refused.no_client": "{program} est absent : installez le paquet postgresql-client.",
    "backup_refused.chain": (
        "Chaîne d'audit rompue : {sites}. Vérifiez secret_key, ou --force remplace la base malgré tout."
    ),
    "conflict.former_schema": (
        "Une restauration a été interrompue, le schéma {schema} est resté : "
        "voir docs/operations.md#backup-and-restore."
    ),
}


def for_shell(error: AppError) -> str:
    """Return the sentence of its code and detail, else of its code, else of its family."""
    codes = error.codes()
    known = (f"{codes[0]}.{error.detail}", *codes)
    return next(SENTENCES[key] for key in known if key in SENTENCES).format(**error.facts)


def named(error: AppError) -> str:
    """Return its stable code, and its detail, as an administrator quotes them."""
    return f"{error.code} ({error.detail})" if error.detail else error.code


def shell_line(error: AppError) -> str:
    """Return what a command prints: `code (detail): sentence`."""
    return f"{named(error)}: {for_shell(error)}"

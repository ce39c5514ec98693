"""What an observer reads when the link does not show the picture: French, for who has no desk and sends no invitation.

By code, of what the page can close with; static/js/observer/main.js says the same when the picture ends.
"""

from collections.abc import Mapping
from typing import Final

from server.core.errors import AppError

SENTENCES: Final[Mapping[str, str]] = {
    "link_expired": "Ce lien a expiré : demandez-en un autre au régulateur.",
    "link_unknown": "Ce lien n’est pas connu : demandez-en un autre au régulateur.",
    "observer_removed": "Le régulateur a mis fin à votre accès à cette image.",
    "open_elsewhere": "L’image est ouverte dans un autre onglet ou sur un autre appareil.",
    "session_ended": "La vidéo est terminée.",
}


def for_observer(error: AppError) -> str:
    """Return the sentence of its code; only for a refusal that this page shows."""
    return SENTENCES[error.code]

"""Refusals of sign-in."""

from server.core.errors import TooMany, Unauthenticated


class BadCredentials(Unauthenticated):
    """Identifier, password or code is wrong: never said which."""

    code = "bad_credentials"
    message = "Identifiant, mot de passe ou code incorrect."


class LoginCodeExpired(Unauthenticated):
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

"""Mail through the hospital's relay."""

from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiosmtplib

from server.delivery.domain.outgoing import OutgoingMail
from server.delivery.errors import CarrierRefused, CarrierUnavailable
from server.delivery.settings import SmtpSettings

_PERMANENT = 500


class SmtpMailer:
    """One connection a mail: the volume is small, and a stale connection would cost a life's minute."""

    def __init__(self, settings: SmtpSettings) -> None:
        """Keep the relay's address."""
        self._settings = settings

    async def send(self, mail: OutgoingMail) -> None:
        """Hand one mail over; 5xx answers are final, everything else is tried again."""
        settings = self._settings
        password = settings.password.get_secret_value() if settings.password else None
        try:
            await aiosmtplib.send(
                self._compose(mail),
                hostname=settings.host,
                port=settings.port,
                username=settings.username,
                password=password,
                use_tls=settings.tls == "tls",
                start_tls=settings.tls == "starttls",
                timeout=settings.timeout,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(r.code >= _PERMANENT for r in refused.recipients):
                raise CarrierRefused("recipient") from None
            raise CarrierUnavailable("recipient") from None
        except aiosmtplib.SMTPResponseException as answer:
            if answer.code >= _PERMANENT:
                raise CarrierRefused(f"smtp_{answer.code}") from None
            raise CarrierUnavailable(f"smtp_{answer.code}") from None
        except aiosmtplib.SMTPNotSupported:  # an address with accents, and a relay that takes none
            raise CarrierRefused("smtputf8") from None
        except (aiosmtplib.SMTPException, OSError) as fault:
            raise CarrierUnavailable(type(fault).__name__.lower()) from None

    def _id(self, mail: OutgoingMail) -> str:
        """A mail that is repeated for want of an answer keeps its name, so that a mailbox can show it once."""
        domain = self._settings.sender.rpartition("@")[2]
        return f"<{mail.reference}@{domain}>" if mail.reference else make_msgid(domain=domain)

    def _compose(self, mail: OutgoingMail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.sender
        message["To"] = mail.to
        message["Subject"] = mail.subject.replace("\r", " ").replace("\n", " ")
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = self._id(mail)
        message["Auto-Submitted"] = "auto-generated"
        if mail.reply_to:
            message["Reply-To"] = mail.reply_to
        message.set_content(mail.text)
        if mail.html:
            message.add_alternative(mail.html, subtype="html")
        return message

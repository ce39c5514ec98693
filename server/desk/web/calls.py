"""What a desk says of the call and the caller of a session: which call it is, which language its page speaks."""

from typing import assert_never

from server.desk.web.connected_desk import ConnectedDesk, Result
from server.protocol import desk as m
from server.reconcile.service.relinking import CallLinks
from server.video.service.languages import Languages

CallCommand = m.CallLinkChoose | m.CallLinkManual | m.CallLinkNone | m.CallerLanguage


class CallCommands:
    """Links sessions to calls for one desk."""

    def __init__(self, desk: ConnectedDesk, *, call_links: CallLinks, languages: Languages) -> None:
        self._desk = desk
        self._call_links = call_links
        self._languages = languages

    async def do(self, message: CallCommand) -> Result:
        """Do one command."""
        actor, session = self._desk.actor(), message.session
        match message:
            case m.CallLinkChoose(call=call):
                await self._call_links.choose(actor, session, call)
            case m.CallLinkManual(value=value):
                await self._call_links.manual(actor, session, value)
            case m.CallLinkNone():
                await self._call_links.none(actor, session)
            case m.CallerLanguage(language=language):
                await self._languages.choose(actor, session, language)
            case _:
                assert_never(message)
        return {}

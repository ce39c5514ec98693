"""What a desk may still say of its video when its sign-in has ended."""

from server.desk.web.connected_desk import ConnectedDesk
from server.identity.errors import SignInOver
from server.invitations.store.invitations import InvitationStore
from server.observers.store import ObserverStore
from server.protocol import desk as m

#: What goes on with a video, hands it over or puts somebody out; nothing here invites anybody.
Finishing = (
    m.SessionWatch
    | m.SessionEnd
    | m.HandOverOffer
    | m.StationList
    | m.ObserverRemove
    | m.InvitationRevoke
    | m.CallLinkChoose
    | m.CallLinkManual
    | m.CallLinkNone
    | m.CallerLanguage
    | m.SignalAnswer
    | m.DeskIceCandidate
    | m.SignalRestart
    | m.DeskMedia
    | m.Webcam
    | m.RungAsked
    | m.HelpCamera
    | m.HelpTorch
    | m.HelpZoom
    | m.HelpPrefer
    | m.HelpMessage
    | m.HelpPoint
)


async def check_over(desk: ConnectedDesk, message: m.DeskMessage) -> None:
    """After the end of the sign-in: only what concerns a video that is held, and who could take it over."""
    page = desk.page
    ends = page.sign_in.standing.ends if page.sign_in else None
    if page.held is None and (ends is None or page.web.clock.now() >= ends):
        await page.tick()  # the sign-in may have been renewed since the last look
    if page.held is None:
        return
    if not isinstance(message, Finishing):
        raise SignInOver("begins")
    match message:
        case m.StationList():
            return
        case m.ObserverRemove() | m.InvitationRevoke():
            page.check_held(await _concerned(desk, message))
        case _:
            page.check_held(message.session)


async def _concerned(desk: ConnectedDesk, message: m.ObserverRemove | m.InvitationRevoke) -> str:
    """Return the video to which somebody was invited."""
    async with desk.web.transactions(write=False) as uow:
        if isinstance(message, m.ObserverRemove):
            return (await ObserverStore(uow).get(desk.site, message.observer)).session
        return (await InvitationStore(uow).get(desk.site, message.invitation)).session

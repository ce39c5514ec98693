"""A whole shift over the demonstration: every kind of row a release can write, made as people and machines make it.

`PREPARED` stands before the first start, `day` is the demonstration, `night` a second start with carriers that fail.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.process import until
from tests.migrations.hospital import PASSWORD, Hospital, Wire, e164, mobile
from tests.migrations.kinds import wrote
from tests.pictures import jpeg, still
from tests.server.video.sdp_samples import CHROMIUM as OFFER

if TYPE_CHECKING:
    from tests.fakes import Gateway
    from tests.server.house import Browser

STATIONS: Final = ("1701", "1702", "1703", "1704", "1705", "1706")
WAV: Final = (
    Path(__file__).parents[1]
    / "telephony/recordings/20261122-184536-15-+33612345678-samu37-1795373136.0.wav"
)
PBX: Final = "/var/spool/asterisk/monitor"
#: Who is asked for afterwards, by every name (test_upgrade.py).
FOUND: Final = {"call": "appel-reference", "linkedid": "samu37-1700000000.1"}
FORGOTTEN: Final = 9901
REFERENCE: Final = 9900
WATCHED: Final = "Dr Ève Martin"
LINK: Final = r"/v/([A-Za-z0-9_-]{20,64})"
LOOK: Final = r"/o/([A-Za-z0-9_-]{20,64})"
USER: Final = "user|add|--site|samu37|--password-stdin"
PREPARED: Final = (
    ("migrate", ""),
    ("site|add|samu37|SAMU 37|--referent|referent@samu37.example|--sms-sender|SAMU37", ""),
    *((f"station|add|samu37|{each}|Poste {each}|--webcam", "") for each in STATIONS),
    (
        f"{USER}|remplacant|--name|Dr Remplaçant|--role|regulator|--mobile|{mobile(1)}",
        f"{PASSWORD}\n",
    ),
    (f"{USER}|parti|--name|Parti|--role|arm|--email|parti@samu37.example", f"{PASSWORD}\n"),
    ("user|password|parti|--password-stdin", f"{PASSWORD}-2\n"),
    ("user|role|parti|auditor", ""),
    ("user|disable|remplacant", ""),
    ("user|enable|remplacant", ""),
    ("user|disable|parti", ""),
    (f"site|observer|add|samu37|{WATCHED}|--mobile|{mobile(2)}", ""),
    ("site|observer|add|samu37|SMUR Tours|--email|smur@samu37.example", ""),
    (f"site|observer|add|samu37|Parti|--mobile|{mobile(3)}", ""),
    ("site|observer|remove|samu37|Parti", ""),
    ("site|snapshots|samu37|store", ""),
)


async def invite(desk: Wire, **contact: Any) -> str:
    return str((await desk.ask("invite", **contact))["session"])


async def invitations(desk: Wire, session: str) -> list[str]:
    shown = await desk.session(session, lambda one: one["invitations"])
    return [one["id"] for one in shown["invitations"]]


class Shift:
    """What happens, in the order in which it happens."""

    def __init__(self, hospital: Hospital) -> None:
        self.at = hospital

    async def call(self, station: str, number: int, **more: Any) -> str:
        """A call that talks at a station; return the software's id."""
        name = more.pop("name", f"cti-{secrets.token_hex(4)}")
        kind, ago = more.pop("kind", "answered"), more.pop("ago", 0.0)
        event = self.at.event(kind, name, ago, caller=e164(number), station=station, **more)
        await self.at.tell(event)
        return str(name)

    async def id_of(self, alias: str) -> str:
        """Our id of a call, by the software's."""
        page = (await self.at.read("auditor", f"/audit?q={alias}")).body.decode()
        found = re.search(r"/audit/calls/([0-9a-f]{32})", page)
        assert found, alias
        return found.group(1)

    async def filmed(self, desk: Wire, **more: Any) -> tuple[str, str, Browser, Wire]:
        """A phone that came by SMS and whose camera is on; session, token, browser, socket."""
        number = more.pop("number", None) or self.at.another()
        session = await invite(desk, mobile=mobile(number), **more)
        await desk.ask("session.watch", session=session)
        token = await self.at.posted(e164(number), LINK)
        phone = await self.at.phone(token)
        caller = await self.at.caller(token, phone)
        await caller.say("camera", state="asking")
        await caller.say("camera", state="granted")
        await desk.session(session, lambda one: one["state"] == "connecting")
        return session, token, phone, caller

    async def live(self, desk: Wire, session: str) -> None:
        await desk.say("media.report", session=session, state="flowing")
        await desk.session(session, lambda one: one["state"] == "live")


# --- the day: the demonstration
async def day(hospital: Hospital) -> None:
    """One shift with the outbox and the replayed switchboard."""
    shift = Shift(hospital)
    await _wrong_code(hospital)
    await _arrive(shift)
    await _launches(shift)
    await _reference(shift)
    await _links(shift)
    await _moves(shift)
    await _by_hand(shift)
    await _merged(shift)
    await _other_links(shift)
    await _spoken(shift)
    await _matched_later(shift)
    await _sounds(shift)
    await _reports(shift)
    await _records(shift)
    await _forgotten(shift)


async def _wrong_code(hospital: Hospital) -> None:
    """Somebody tries codes that nobody read aloud."""
    thief = hospital.browser()
    await thief.get("/c")
    for code in ("111111", "222222"):
        assert (await thief.post("/c", {"code": code})).code == 404


async def _arrive(shift: Shift) -> None:
    at = shift.at
    for identifier in ("demo", "arm", "auditor", "referent", "admin"):
        await at.sign_in(identifier, f"{identifier}@samu37.example")
    await at.sign_in("demo45", "demo45@samu45.example")
    # By SMS, then out again; and thrown out by the administrator.
    gone = await at.sign_in("remplacant", e164(1))
    assert (await gone.post("/logout", {})).code == 303
    await at.sign_in("remplacant", e164(1))
    await at.cli("user", "revoke", "remplacant")
    # A wrong password, nobody's name, a wrong code, and one that is never typed.
    for _ in range(5):
        await at.ask_code("arm", "not the password at all")
    await at.cli("user", "unlock", "arm")
    for _ in range(5):
        await at.ask_code("inconnu", "not the password at all")
    clumsy = await at.ask_code("admin")
    assert (await clumsy.post("/login/code", {"code": "000000"})).code >= 400
    first = await _secret(at)
    await _secret(at)
    await at.cli("site", "secret", "samu37", "--retire", first)


async def _secret(at: Hospital) -> str:
    """Make a secret for the call-centre software, and use it; return its name."""
    lines = (await at.cli("site", "secret", "samu37")).splitlines()
    told = dict(line.split("\t") for line in lines if "\t" in line)
    at.secret, at.kid = told["secret"], told["kid"]
    return at.kid


async def _launches(shift: Shift) -> None:
    """Opened from call context: unsigned, signed, forged, and unsigned where that is not taken."""
    at, number = shift.at, shift.at.another()
    fields = {"call": "pop-1", "caller": e164(number), "station": "1701"}
    opaque = await at.launched("demo", at.launch(**fields))
    desk = await at.desk("demo", "1701", launch=opaque)
    session = await invite(desk, mobile=mobile(number))
    await desk.session(session, lambda one: one["link"]["evidence"] == "launch_context")
    # Line 15 tells of that call later: its stand-in becomes this call.
    await shift.call("1701", number, name="pop-1")
    await desk.view(lambda view: any(one["state"] == "talking" for one in view["calls"]))
    await desk.ask("session.end", session=session)
    await at.tell(at.event("ended", "pop-1", cause="normal"))
    signed = at.launch(once="nonce-filled-1", call="pop-2", caller=e164(number), station="1701")
    await at.launched("demo", signed)
    await at.launched("demo", signed.replace("pop-2", "pop-3"))
    await at.cli("site", "launches", "samu37", "required")
    await at.launched("demo", at.launch(**fields))
    await at.cli("site", "launches", "samu37", "optional")


async def _reference(shift: Shift) -> None:
    """One call with everything that can be done in it."""
    at, number = shift.at, REFERENCE
    alias = {"type": "linkedid", "value": FOUND["linkedid"]}
    await shift.call(
        "1702", number, name=FOUND["call"], alias=alias, dossier="dossier-37", kind="ringing"
    )
    await at.tell(at.event("answered", FOUND["call"], station="1702"), key="idempotent-1")
    desk = await at.desk("demo", "1702")
    await desk.view(lambda view: any(one["state"] == "talking" for one in view["calls"]))
    session = await invite(desk, mobile=mobile(number), email="appelant@exemple.example")
    shown = await desk.session(session, lambda one: one["link"]["evidence"] == "sole_talking_call")
    await desk.ask("session.watch", session=session)
    token = await at.posted(e164(number), LINK)
    await desk.ask("invitation.resend", invitation=shown["invitations"][0]["id"])
    phone = await at.phone(token, "ar")
    caller = await at.caller(token, phone)
    await _network(caller)
    await caller.say("camera", state="asking")
    await caller.say("camera", state="denied")
    await desk.session(session, lambda one: one["steps"][-2]["state"] == "failed")
    await caller.say("camera", state="asking")
    await caller.say("camera", state="granted")
    await _described(desk, caller, session)
    await shift.live(desk, session)
    await at.tell(at.event("held", FOUND["call"]))
    await _helped(desk, caller, session)
    await _pictures(shift, desk, caller, session, token, phone)
    await _watched(shift, desk, caller, session)
    await at.tell(at.event("resumed", FOUND["call"]))
    await desk.say("media.report", session=session, state="lost")
    await desk.session(session, lambda one: one["state"] == "interrupted")
    await caller.say("leave")
    await caller.hear("ended")
    await at.tell(at.event("ended", FOUND["call"], cause="normal"))
    # The same person calls again.
    await shift.call("1702", number, name="appel-suivant")
    await at.tell(at.event("ended", "appel-suivant"))


async def _network(caller: Wire) -> None:
    await caller.say("network", socket=12, stun=20, udp=30, tcp=False, tls=None)


async def _described(desk: Wire, caller: Wire, session: str) -> None:
    """An offer and its answer; another one with sound, which is refused (I1)."""
    watchers = desk.peer
    await caller.say("signal.offer", peer=watchers, sdp=OFFER)
    offer = await desk.hear("signal.offer")
    await desk.say("signal.answer", session=session, page=offer["page"], sdp=OFFER)
    await caller.hear("signal.answer")
    await caller.say("signal.offer", peer=watchers, sdp=OFFER.replace("m=video", "m=audio"))
    await caller.hear("error")


async def _helped(desk: Wire, caller: Wire, session: str) -> None:
    abilities = {"cameras": 2, "facing": "environment", "torch": True, "lit": False}
    await caller.say("abilities", **abilities, prefer="balanced")
    await desk.hear("caller.abilities")
    for kind, fields, answer in (
        ("help.torch", {"on": True}, {"outcome": "done"}),
        ("help.camera", {}, {"outcome": "refused", "why": "busy"}),
        ("help.message", {"message": "message_closer"}, {"outcome": "done"}),
        ("help.prefer", {"prefer": "detail"}, {"outcome": "done"}),
    ):
        await desk.ask(kind, session=session, **fields)
        order = (await caller.hear("help"))["order"]
        await caller.say("help.done", order=order, **answer)
        await desk.hear("help.done")
    await desk.ask("caller.language", session=session, language="es")
    await caller.hear("language", where=lambda told: told["language"] == "es")


async def _pictures(
    shift: Shift, desk: Wire, caller: Wire, session: str, token: str, phone: Browser
) -> None:
    """The ladder, a still, a photo, a stored picture, each seen."""
    picture = jpeg()
    await desk.say("ladder", session=session, rung="stills")
    await caller.hear("ladder")
    await desk.say("media.report", session=session, state="frozen")
    await desk.session(session, lambda one: one["state"] == "interrupted")
    await caller.say("ladder", rung="stills", why="asked")
    millis = int(datetime.now(UTC).timestamp() * 1000)
    await caller.socket.write_message(still(1, millis, picture), binary=True)
    assert (await caller.hear("still.ack"))["desks"] == 1
    headers = {
        "X-Visio15-Photo": "photo-0001",
        "X-Visio15-Offset": "0",
        "X-Visio15-Total": str(len(picture)),
        "X-Xsrftoken": phone.cookies["_xsrf"],
        "Accept": "application/json",
    }
    answer = await phone.fetch(f"/v/{token}/photo", method="POST", body=picture, headers=headers)
    assert answer.code == 200, answer.body
    await desk.hear("photo")
    await caller.say("ladder", rung="video", why="recovered")
    await shift.live(desk, session)
    await snapshot(shift, session)
    await caller.hear("snapshot")


async def snapshot(shift: Shift, session: str) -> str:
    """Store a picture at the desk; return its id."""
    regulator = shift.at.of("demo")
    headers = {"Content-Type": "image/jpeg", "X-Xsrftoken": regulator.cookies["_xsrf"]}
    path = f"/desk/snapshots?session={session}&age=40"
    answer = await regulator.fetch(path, method="POST", body=jpeg(), headers=headers)
    assert answer.code == 201, answer.body
    return str(json.loads(answer.body)["id"])


async def _watched(shift: Shift, desk: Wire, caller: Wire, session: str) -> None:
    """Two more people: one looks and leaves, one is removed."""
    at = shift.at
    await desk.ask("observer.invite", session=session, listed=WATCHED)
    eyes = await _look(shift, await at.posted(e164(2), LOOK))
    await caller.hear("viewers", where=lambda told: told["count"] == 2)
    eyes.close()
    await caller.hear("viewers", where=lambda told: told["count"] == 1)
    person = {"name": "Infirmier SMUR", "email": "infirmier@samu37.example"}
    other = (await desk.ask("observer.invite", session=session, **person))["observer"]
    await _look(shift, await at.posted("infirmier@samu37.example", LOOK))
    await caller.hear("viewers", where=lambda told: told["count"] == 2)
    await desk.ask("observer.remove", observer=other)


async def _look(shift: Shift, token: str) -> Wire:
    browser = shift.at.browser()
    await browser.get(f"/o/{token}")
    await browser.get("/login")
    answer = await browser.post_json(f"/o/{token}/join", {})
    assert answer.code == 200, answer.body
    eyes = await shift.at.wire("/ws/observer", browser)
    await eyes.say("hello", token=token, page=f"observer-{token[:8]}")
    await eyes.hear("welcome")
    return eyes


async def _links(shift: Shift) -> None:
    """Every reason for a call, or for none."""
    at = shift.at
    one, two = at.another(), at.another()
    several = await at.desk("demo", "1703")
    names = [await shift.call("1703", each) for each in (one, two)]
    view = await several.view(
        lambda view: sum(each["state"] == "talking" for each in view["calls"]) == 2
    )
    session = await invite(several, mobile=mobile(one))
    await several.session(session, lambda each: each["link"]["evidence"] == "several_calls")
    await several.ask("link.choose", session=session, call=view["calls"][0]["id"])
    chosen = await invite(several, mobile=mobile(two), call=view["calls"][1]["id"])
    await several.ask("session.end", session=session)
    await several.ask("session.end", session=chosen)
    await at.tell(*(at.event("ended", name) for name in names))
    alone = await at.desk("demo", "1704")
    session = await invite(alone, mobile=mobile(at.another()))
    await alone.session(session, lambda each: each["link"]["evidence"] == "no_call")
    await alone.ask("link.manual", session=session, value="dicté-0042")
    await alone.ask("link.none", session=session)
    await alone.ask("session.end", session=session)
    nowhere = await at.desk("demo", None)
    await invite(nowhere, mobile=mobile(at.another()))
    far = await at.desk("demo45", "1501")
    session = await invite(far, email="appelant@loiret.example")
    await far.session(session, lambda each: each["link"]["evidence"] == "no_feed")


async def _moves(shift: Shift) -> None:
    """A call is transferred and its video follows; who had it leaves, who has it ends it."""
    at, number = shift.at, shift.at.another()
    giver, taker = await at.desk("arm", "1702"), await at.desk("demo", "1703")
    name = await shift.call("1702", number)
    await giver.view(lambda view: any(each["state"] == "talking" for each in view["calls"]))
    session, *_ = await shift.filmed(giver, number=number)
    await at.tell(at.event("moved", name, station="1703"))
    await giver.session(session, lambda each: each["moved"] == ["1703"])
    assert await giver.ask("session.end", session=session) == {"ended": False}
    await taker.session(session)
    assert await taker.ask("session.end", session=session) == {"ended": True}
    await at.tell(at.event("ended", name))


async def _by_hand(shift: Shift) -> None:
    """Offered and taken back, offered and taken, with a call and without; who gave it leaves."""
    at = shift.at
    giver, taker = await at.desk("arm", "1705"), await at.desk("demo", "1706")
    for number in (at.another(), None):
        name = await shift.call("1705", number) if number else None
        if name:
            await giver.view(lambda view: any(each["state"] == "talking" for each in view["calls"]))
        session, _, _, caller = await shift.filmed(giver, number=number)
        await shift.live(giver, session)
        await giver.ask("station.list")
        await giver.ask("session.offer_to", session=session, station="1706")
        await giver.ask("session.offer_to", session=session, station=None)
        await giver.ask("session.offer_to", session=session, station="1706")
        await taker.session(session, lambda each: each["offer"])
        await taker.ask("session.accept", session=session)
        await taker.ask("session.watch", session=session)
        await giver.session(session, lambda each: each["moved"] == ["1706"])
        assert await giver.ask("session.end", session=session) == {"ended": False}
        assert await taker.ask("session.end", session=session) == {"ended": True}
        await caller.hear("ended")
        if name:
            await at.tell(at.event("ended", name))


async def _merged(shift: Shift) -> None:
    """Two calls turn out to be one, and the video of the younger goes with it."""
    at = shift.at
    same = {"type": "nena_callid", "value": "urn:emergency:uid:callid:a56e556d871:samu37.example"}
    first = await shift.call("1701", at.another(), alias=same)
    second = await shift.call("1704", at.another())
    desk = await at.desk("demo", "1704")
    await desk.view(lambda view: any(each["state"] == "talking" for each in view["calls"]))
    session = await invite(desk, mobile=mobile(at.another()))
    await at.tell(at.event("alias", second, alias=same))
    await desk.session(session, lambda each: each["link"]["evidence"] == "merged")
    await at.tell(at.event("ended", first), at.event("ended", second))
    [link] = await invitations(desk, session)
    await desk.ask("invitation.revoke", invitation=link)


async def _other_links(shift: Shift) -> None:
    """A link that is given back, and a session that moves to another link."""
    at, number = shift.at, shift.at.another()
    desk = await at.desk("demo", "1704")
    session = await invite(desk, mobile=mobile(number), email="autre@exemple.example")
    by_mail = next(
        one["id"]
        for one in (await desk.session(session, lambda one: one["invitations"]))["invitations"]
        if one["channel"] == "email"
    )
    token = await at.posted(e164(number), LINK)
    phone = await at.phone(token)
    assert (await phone.post_json(f"/v/{token}/release", {})).code == 200
    phone = await at.phone(token)
    await desk.ask("invitation.move", invitation=by_mail)
    other = await at.posted("autre@exemple.example", LINK)
    caller = await at.caller(other, await at.phone(other, "en"))
    await caller.say("camera", state="none")
    await desk.session(session, lambda one: one["steps"][-2]["state"] == "failed")
    # The session still stands at its camera when the server stops.


async def _spoken(shift: Shift) -> None:
    """A code that is typed, and one that another replaces."""
    at = shift.at
    desk = await at.desk("demo", "1705")
    made = await desk.ask("code.make")
    phone = at.browser()
    await phone.get("/c")
    answer = await phone.post("/c", {"code": made["code"]})
    assert answer.code == 303, answer.body
    token = answer.headers["Location"].rpartition("/")[2].partition("?")[0]
    await phone.get(f"/v/{token}")
    for verb in ("open", "tap"):
        assert (await phone.post_json(f"/v/{token}/{verb}", {})).code == 200
    old = await desk.ask("code.make")
    await desk.ask("code.make", session=old["session"])


async def _matched_later(shift: Shift) -> None:
    """Videos without a call: matched by what line 15 tells too late, matched by a person, said to have none."""
    at = shift.at
    desk = await at.desk("demo", "1706")
    number, other = at.another(), at.another()
    by_itself = await invite(desk, mobile=mobile(number))
    by_hand, without = (
        await invite(desk, mobile=mobile(other)),
        await invite(desk, mobile=mobile(other)),
    )
    name = await shift.call("1706", number, ago=20)
    await at.tell(at.event("ended", name))
    await desk.session(by_itself, lambda each: each["link"]["evidence"] == "reconciled")
    await at.read("referent", "/audit/reconcile")
    await at.read("referent", f"/audit/reconcile/{by_hand}")
    told = {"decision": f"call:{await shift.id_of(name)}", "seen": "1", "reason": "écouté"}
    await at.send("referent", f"/audit/reconcile/{by_hand}", told)
    none = {"decision": "none", "seen": "1", "reason": "essai du poste"}
    await at.send("referent", f"/audit/reconcile/{without}", none)


async def _sounds(shift: Shift) -> None:
    """Recordings that the switchboard tells of and that a folder holds; heard, missed, supposed, withdrawn."""
    at, folder = shift.at, shift.at.folder / "monitor"
    number, twice, guess, kept = (at.another() for _ in range(4))
    ended = datetime.now(UTC) - timedelta(minutes=10)
    begun = ended - timedelta(seconds=30)

    def ago(second: float) -> float:
        """How long ago this second of the calls was: everything here is told too late."""
        return (datetime.now(UTC) - begun).total_seconds() - second

    async def talked(name: str, whose: int, **more: Any) -> None:
        await shift.call("1701", whose, name=name, ago=ago(0), **more)
        await at.tell(at.event("ended", name, ago(30)))

    async def recorded(kind: str, name: str, second: float, file: str) -> None:
        path = f"{PBX}/{file}"
        await at.tell(at.event(f"recording_{kind}", name, ago(second), recording=path))

    def file(whose: int, linkedid: str) -> str:
        return f"{begun:%Y%m%d-%H%M%S}-15-{e164(whose)}-{linkedid}.wav"

    alias = {"type": "linkedid", "value": "samu37-1700000001.1"}
    await talked("enregistre-1", number, alias=alias)
    put(folder, file(number, alias["value"]), ended)
    for name in ("double-1", "double-2"):
        await talked(name, twice)
    put(folder, file(twice, "samu37-1700000002.1"), ended)
    for name, whose in (("suppose-1", guess), ("suppose-2", at.another()), ("suppose-3", kept)):
        await talked(name, whose)
    for whose, linkedid in ((guess, "samu37-1700000003.1"), (kept, "samu37-1700000004.1")):
        put(folder, file(whose, linkedid), ended)
    [one] = await sounds(shift, "enregistre-1", "present")
    assert (await at.read("auditor", one["href"])).body[:4] == b"RIFF"
    for name in ("double-1", "suppose-1", "suppose-3"):
        await sounds(shift, name)
    # The switchboard knows better: it is another call's.
    await recorded("started", "suppose-2", 5, file(guess, "samu37-1700000003.1"))
    await sounds(shift, "suppose-2")
    # Told, and not there (yet).
    for name in ("absent-1", "absent-2"):
        await talked(name, at.another())
        await recorded("started", name, 5, f"{name}.wav")
        [lost] = await sounds(shift, name)
        await at.read("auditor", lost["href"], 404)
    put(folder, "absent-1.wav", ended)
    await recorded("stopped", "absent-1", 20, "absent-1.wav")


def put(folder: Path, name: str, ended: datetime) -> None:
    """Let a recorder write a file that ended then."""
    file = folder / name
    shutil.copy(WAV, file.with_suffix(".part"))
    os.utime(file.with_suffix(".part"), (ended.timestamp(), ended.timestamp()))
    file.with_suffix(".part").rename(file)


async def sounds(shift: Shift, alias: str, status: str | None = None) -> list[dict[str, Any]]:
    """Wait until a call has a recording (in this state); return them."""
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        answer = await shift.at.read("auditor", f"/api/v1/calls?alias={alias}")
        recordings = json.loads(answer.body)["calls"][0]["recordings"]
        found[:] = [one for one in recordings if status in {None, one["status"]}]
        return bool(found)

    await until(there, f"a recording of {alias} {status}", timeout=90, explain=lambda: str(found))
    return found


async def _reports(shift: Shift) -> None:
    """Incidents and remarks: new, followed up, closed, erased, exported."""
    at = shift.at
    for kind, remark in (
        ("incident", "La vidéo s'est figée."),
        ("remark", "Tout va bien."),
        ("remark", "À effacer."),
        ("incident", f"Rappeler le {mobile(FORGOTTEN)}."),
        ("remark", "Nouveau."),
    ):
        answer = await at.of("demo").post_json("/feedback", {"kind": kind, "remark": remark})
        assert answer.code == 201, answer.body
    page = (await at.read("referent", "/incidents")).body.decode()
    ids = list(dict.fromkeys(re.findall(r"/incidents/([0-9a-f]{32})", page)))
    for seen, (state, note) in enumerate(
        (("acknowledged", "Vu."), ("forwarded", ""), ("closed", "Corrigé."))
    ):
        form = {"state": state, "note": note, "seen": str(seen)}
        await at.send("referent", f"/incidents/{ids[-1]}", form)
    await at.send(
        "referent", f"/incidents/{ids[-2]}", {"state": "acknowledged", "note": "", "seen": "0"}
    )
    secret = {"state": "forwarded", "note": "Secret.", "seen": "0"}
    await at.send("referent", f"/incidents/{ids[-3]}", secret)
    await at.send("referent", f"/incidents/{ids[-3]}", {"action": "erase"})
    await at.read("referent", "/incidents.csv")


async def _records(shift: Shift) -> None:
    """The switchboard's call detail records, afterwards: of a call that is known, and of one that is not."""
    at = shift.at
    answer = await at.read("auditor", "/api/v1/calls?alias=enregistre-1")
    known = json.loads(answer.body)["calls"][0]["call"]
    times = f"{known['started']},{known['started']},{known['ended']},ANSWERED"
    unseen, linkedid = "samu37-1700000009.1", "samu37-1700000001.1"
    rows = [
        "src,dst,station,start,answer,end,disposition,uniqueid,linkedid",
        f"{e164(at.another())},15,1701,{times},{unseen},{unseen}",
        f",15,1701,{times},samu37-1700000001.2,{linkedid}",
    ]
    file = at.folder / "cdr.csv"
    file.write_text("\n".join(rows) + "\n")
    told = await at.cli("cdr", "import", str(file), "--site", "samu37")
    assert "1 new, 1 completed" in told, told


async def _forgotten(shift: Shift) -> None:
    """Somebody asks to be forgotten: call, video, picture, recording, remark and searches."""
    at = shift.at
    desk = await at.desk("demo", "1701")
    name = await shift.call("1701", FORGOTTEN, name="oublie-1")
    await at.tell(at.event("recording_started", name, recording=f"{PBX}/oublie-1.wav"))
    await desk.view(lambda view: any(each["state"] == "talking" for each in view["calls"]))
    session, _, _, caller = await shift.filmed(desk, number=FORGOTTEN)
    await snapshot(shift, session)
    await caller.say("leave")
    await at.tell(
        at.event("recording_stopped", name, recording=f"{PBX}/oublie-1.wav"),
        at.event("ended", name),
    )
    await at.send("auditor", "/audit", {"number": mobile(FORGOTTEN)}, 200)
    told = await at.cli("forget", "samu37", "--yes", stdin=f"{mobile(FORGOTTEN)}\n")
    assert "snapshots: 1" in told, told


# --- the night: production's program, two carriers, a dead feed at the second site
def night_settings(alpha: Gateway, beta: Gateway, nobody: int) -> dict[str, str]:
    """Short times, so that what time does happens soon."""
    carriers = [
        {
            **({"preset": "raw", "name": name, "receipt_timeout": wait} | gateway.settings),
            "receipt_base": "http://localhost",
        }
        for name, gateway, wait in (("alpha", alpha, 1.0), ("beta", beta, 0.0))
    ]
    feed = {"kind": "ami", "site": "samu45", "port": nobody, "username": "x", "secret": "x"}
    return {
        "VISIO15_LISTEN": "127.0.0.1",
        "VISIO15_LOG_LEVEL": "WARNING",
        "VISIO15_LINK_MINUTES": "1",
        "VISIO15_GRACE_SECONDS": "5",
        "VISIO15_CARRIERS": json.dumps(carriers),
        "VISIO15_FEEDS": json.dumps([feed]),
    }


async def night(hospital: Hospital, alpha: Gateway, beta: Gateway) -> None:
    """What the day left is picked up; messages fail; the auditor looks; some things are under way at the end."""
    shift = Shift(hospital)
    await _carriers(shift, alpha, beta)
    await _down(shift)
    await _looked_up(shift)
    # Links nobody tapped, phones that do not come back: the sweep ends them; a window of wrong codes closes.
    await written(shift, {"session.timed_out", "code.refused"})
    await _under_way(shift, alpha, beta)


async def _message(gateway: Gateway, number: int) -> dict[str, str]:
    """Wait until a gateway was asked for this number."""

    def mine() -> list[dict[str, str]]:
        return [each for each in gateway.asked if each["to"] == e164(number)]

    await until(lambda: bool(mine()), f"an SMS to {number}", timeout=30)
    return mine()[-1]


async def _receipt(shift: Shift, asked: dict[str, str], status: int) -> None:
    path = asked["dlr"].removeprefix("http://localhost").replace("%d", str(status))
    answer = await shift.at.browser().get(path)
    assert answer.code < 300, (path, answer.code, answer.body)


async def _state(desk: Wire, session: str, label: str) -> None:
    await desk.session(session, lambda one: any(label == i["state"] for i in one["invitations"]))


async def _carriers(shift: Shift, alpha: Gateway, beta: Gateway) -> None:
    """Delivered; buffered; silent and followed; failed and followed; refused by all."""
    at = shift.at
    desk = await at.desk("demo", "1702")
    number = at.another()
    session = await invite(desk, mobile=mobile(number))
    await _receipt(shift, await _message(alpha, number), 1)
    await _state(desk, session, "delivered")
    number = at.another()
    session = await invite(desk, mobile=mobile(number))
    await _receipt(shift, await _message(alpha, number), 4)
    await _state(desk, session, "buffered")
    number = at.another()
    session = await invite(desk, mobile=mobile(number))
    await _message(alpha, number)
    await _receipt(shift, await _message(beta, number), 1)  # alpha stayed silent
    number = at.another()
    session = await invite(desk, mobile=mobile(number))
    await _receipt(shift, await _message(alpha, number), 2)
    await _receipt(shift, await _message(beta, number), 16)
    await _state(desk, session, "failed")
    alpha.status = beta.status = 400
    session = await invite(desk, mobile=mobile(at.another()))
    await _state(desk, session, "failed")
    alpha.status = beta.status = 503  # until its minute is over, or nobody needs it any more
    await invite(desk, mobile=mobile(at.another()))
    session = await invite(desk, mobile=mobile(at.another()))
    await desk.ask("session.end", session=session)
    session = await invite(desk, mobile=mobile(at.another()))
    [link] = await invitations(desk, session)
    await desk.ask("invitation.revoke", invitation=link)


async def _down(shift: Shift) -> None:
    far = await shift.at.desk("demo45", "1501")
    session = await invite(far, email="appelant2@loiret.example")
    await far.session(session, lambda each: each["link"]["evidence"] == "feed_down")


async def _looked_up(shift: Shift) -> None:
    """The auditor looks by every name, at everything, and for what is not there."""
    at = shift.at
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    await at.read("auditor", f"/audit?day={today}")
    answer = await at.read("auditor", f"/api/v1/calls?alias={FOUND['linkedid']}")
    [record] = json.loads(answer.body)["calls"]
    await at.send("auditor", "/audit", {"number": record["call"]["number"]}, 200)
    await at.read("auditor", f"/audit/calls/{record['call']['id']}")
    [video] = record["sessions"]
    await at.read("auditor", f"/audit/sessions/{video['id']}")
    await at.read("auditor", video["snapshots"][0]["href"])
    for nothing in ("calls", "sessions", "recordings", "snapshots"):
        await at.read("auditor", f"/audit/{nothing}/{'0' * 32}", 404)
    await sounds(shift, "absent-1", "present")


async def written(shift: Shift, actions: set[str]) -> None:
    """Wait until the audit has each of these words."""
    url = shift.at.server.env["VISIO15_DATABASE"]
    await until(lambda: wrote(url, actions), f"the audit says {actions}", timeout=400)


async def _under_way(shift: Shift, alpha: Gateway, beta: Gateway) -> None:
    """Every state of a call, of a session, of a message and of a sign-in, as they are when the server stops."""
    at = shift.at
    alpha.status = beta.status = 200
    desk = await at.desk("demo", "1703")
    for kind in ("ringing", "answered", "held"):
        name = await shift.call(
            "1703", at.another(), kind="ringing" if kind == "ringing" else "answered"
        )
        if kind == "held":
            await at.tell(at.event("held", name))
    await _tokens(shift, desk, alpha)
    offered, *_ = await _connected(shift, desk, alpha)
    await desk.ask("session.offer_to", session=offered, station="1704")
    await desk.ask("code.make")
    name = await shift.call("1705", at.another(), name="en-cours-1")
    await at.tell(at.event("recording_started", name, recording=f"{PBX}/en-cours-1.wav"))
    await at.ask_code("admin")
    await at.launched("demo", at.launch(call="pop-9", station="1701"))
    alpha.status = beta.status = 503
    number = at.another()
    await invite(desk, mobile=mobile(number))
    await _message(alpha, number)
    await _message(beta, number)


async def _connected(shift: Shift, desk: Wire, alpha: Gateway) -> tuple[str, str, Browser, Wire]:
    """As `Shift.filmed`, with the SMS at the carrier's."""
    number = shift.at.another()
    session = await invite(desk, mobile=mobile(number))
    await desk.ask("session.watch", session=session)
    token = token_in(await _message(alpha, number))
    phone = await shift.at.phone(token)
    caller = await shift.at.caller(token, phone)
    await caller.say("camera", state="granted")
    await desk.session(session, lambda one: one["state"] == "connecting")
    return session, token, phone, caller


def _is(state: str, session: dict[str, Any]) -> bool:
    return bool(session["state"] == state)


def token_in(asked: dict[str, str]) -> str:
    found = re.search(LINK, asked["text"])
    assert found, asked
    return found.group(1)


async def _tokens(shift: Shift, desk: Wire, alpha: Gateway) -> None:
    """One session in each state."""
    at = shift.at
    for state in ("invited", "opened", "tapped"):
        number = at.another()
        session = await invite(desk, mobile=mobile(number))
        token = token_in(await _message(alpha, number))
        if state == "invited":
            continue
        phone = at.browser()
        await phone.get(f"/v/{token}")
        assert (await phone.post_json(f"/v/{token}/open", {"language": "fr"})).code == 200
        if state == "tapped":
            assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200
            await at.caller(token, phone)
        await desk.session(session, partial(_is, state))
    live, *_ = await _connected(shift, desk, alpha)
    await shift.live(desk, live)
    lost, *_ = await _connected(shift, desk, alpha)
    await shift.live(desk, lost)
    await desk.say("media.report", session=lost, state="lost")
    await desk.session(lost, lambda one: one["state"] == "interrupted")

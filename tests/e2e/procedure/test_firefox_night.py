"""A night in Firefox, at the desk, on the phone and for who looks on: refusal, languages, help, weak network, photo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.desk.test_third_parties import CREW, LOOK
from tests.e2e.house import House, house, until_text
from tests.e2e.picture.test_ladder import LIVE, media_dropped, photo_shown, stills_flow
from tests.e2e.procedure.test_firefox import SLOW
from tests.lab.browsers.browser import axe, moving_picture, no_audio, open_cameras
from tests.lab.browsers.firefox import PHONE, firefox
from tests.lab.process import until
from tests.pictures import jpeg, with_place

if TYPE_CHECKING:
    from tests.lab.browsers.firefox import Firefox, FirefoxTab

pytestmark = pytest.mark.e2e

ANDROID = "Mozilla/5.0 (Android 15; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0"
LIGHT = "() => Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"
BARS = "() => document.querySelectorAll(\"#graph-bars rect:not([height='0'])\").length"
#: Firefox's fake camera is one: from now on it is the front camera too, asked for as another one.
TWO_SIDES = """() => {
  const devices = navigator.mediaDevices;
  const list = devices.enumerateDevices.bind(devices);
  const ask = devices.getUserMedia.bind(devices);
  devices.enumerateDevices = async () => [...await list(), {kind: 'videoinput', deviceId: 'front'}];
  devices.getUserMedia = async ({audio, video: {facingMode, deviceId, ...size}}) => {
    const stream = await ask({audio, video: size});
    const [track] = stream.getVideoTracks();
    const settings = track.getSettings.bind(track);
    const front = facingMode?.exact === 'user' || deviceId?.exact === 'front';
    if (front) track.getSettings = () => ({...settings(), deviceId: 'front', facingMode: 'user'});
    return stream;
  };
}"""


async def test_a_night_in_firefox() -> None:
    """A code typed on a phone that refuses its camera, then allows it; help, an observer, stills, photos."""
    # The settings decide about the camera, as they do for people.
    settings = {"media.navigator.permission.disabled": False}
    async with house() as home, firefox(settings) as fox:
        desk = await fox.person("desk")
        await home.open_desk(desk)
        await both_themes(desk)
        phone = await typed_in(home, desk, fox)
        await refused_then_allowed(home, desk, phone)
        await in_other_words(desk, phone)
        await helped(desk, phone)
        await measured(desk)
        crew = await looking_on(home, desk, fox)
        await over_a_weak_network(desk, phone, crew)
        await desk.chord("Alt+x")
        await phone.wait_for_selector("#ended[data-how=over_doctor]")
        assert await open_cameras(phone) == 0
        fox.assert_clean(home.url)


async def both_themes(desk: FirefoxTab) -> None:
    """One key turns the room's light on and off."""
    light = await desk.evaluate(LIGHT)
    await desk.chord("Alt+d")
    await until(lambda: _other(desk, light), "the other theme")
    assert not await axe(desk)


async def _other(desk: FirefoxTab, light: int) -> bool:
    return abs(await desk.evaluate(LIGHT) - light) > 150


async def typed_in(home: House, desk: FirefoxTab, fox: Firefox) -> FirefoxTab:
    """No SMS: an Arabic phone is given the address and the six digits."""
    await desk.chord("Alt+c")
    await desk.wait_for_selector("#spoken[open]")
    await until_text(desk, "#spoken-left", "Valable encore")
    assert not await axe(desk)
    digits = re.sub(r"\D", "", await desk.text_content("#spoken-digits"))
    assert len(digits) == 6
    phone = await fox.person("phone", PHONE, locale="ar-MA", agent=ANDROID)
    await phone.goto(f"{home.url}/c")
    await phone.wait_for_selector("html[lang=ar][dir=rtl]")
    await phone.fill("#code", digits)
    await phone.click("#code-form button")
    await phone.wait_for_selector("body[data-ready=true]")
    await phone.wait_for_selector("html[lang=ar][dir=rtl]")
    await phone.evaluate(TWO_SIDES)
    await desk.wait_for_hidden("#spoken")
    await desk.wait_for_selector("#steps li[data-step=opened][data-state=done]")
    return phone


async def refused_then_allowed(home: House, desk: FirefoxTab, phone: FirefoxTab) -> None:
    """A real refusal, its guide on this browser, told to the desk; allowed in the settings, it goes on by itself."""
    await phone.firefox.camera(home.url, "DENY")
    await phone.tap("#tap")
    await phone.wait_for_selector("body[data-phase=trouble]")
    await phone.wait_for_selector("#guide li[data-step=do_lock]")
    assert not await axe(phone)
    await until_text(desk, "#say-cause", "a refusé la caméra")
    await desk.wait_for_selector("#steps li[data-step=permission][data-state=failed]")
    # The phone's own camera takes one photo meanwhile.
    file = home.folder / "IMG_0001.jpg"
    file.write_bytes(with_place(jpeg(1600, 1200)))
    await phone.wait_for_selector("#photo-instead")
    await phone.set_input_files("#photo-file", [file])
    await photo_shown(desk)
    await desk.click("#photo-close")
    await phone.firefox.camera(home.url, "ALLOW")
    await phone.wait_for_selector("body[data-phase=live]")
    await moving_picture(desk, "#patient", gap=SLOW)
    assert await phone.evaluate("() => window.__labAsked") == [{"audio": False, "video": True}] * 2


async def in_other_words(desk: FirefoxTab, phone: FirefoxTab) -> None:
    """Another language, by the phone and by the desk: the camera and its connection stay the same."""
    await phone.evaluate("() => { window.__stream = document.querySelector('#self').srcObject; }")
    await phone.click("#languages summary")
    await phone.click("#languages a[data-language=fr]")
    await phone.wait_for_selector("html[lang=fr][dir=ltr]")
    await until(lambda: _chosen(desk, "fr"), "the desk reads the language")
    await desk.select_option("#caller-language", "en")
    await phone.wait_for_selector("html[lang=en]")
    await until_text(phone, "#leave", "Stop the video")
    same = "() => window.__stream === document.querySelector('#self').srcObject"
    assert await phone.evaluate(same)
    await moving_picture(desk, "#patient", gap=SLOW)


async def _chosen(desk: FirefoxTab, language: str) -> bool:
    return await desk.input_value("#caller-language") == language


async def helped(desk: FirefoxTab, phone: FirefoxTab) -> None:
    """What this camera cannot do is greyed and says why; what can be done is done over there."""
    for name, key, what in (("torch", "t", "lampe"), ("zoom", "z", "zoom")):
        await desk.wait_for_selector(f"#help-{name}[aria-disabled=true][title*='pas de {what}']")
        await desk.chord(f"Alt+{key}")
        await until_text(desk, "#help-said", f"pas de {what}")
    track = "() => document.querySelector('#self').srcObject.getVideoTracks()[0].id"
    first = await phone.evaluate(track)
    await desk.chord("Alt+k")
    await until_text(desk, "#help-said", "Caméra changée")
    assert await phone.evaluate(track) != first
    await moving_picture(desk, "#patient", gap=SLOW)
    await desk.chord("Alt+s")
    await desk.wait_for_selector("#messages[open]")
    await desk.chord("5")
    await phone.wait_for_selector("#told [data-message=message_face]:has-text('Show the face')")
    await until_text(desk, "#help-said", "Affiché sur le téléphone : « Montrez le visage »")
    await desk.chord("Alt+g")
    await desk.chord("ArrowDown")
    await phone.wait_for_selector("#finger .ring")
    await desk.chord("Escape")
    await desk.chord("Alt+f")
    await until_text(desk, "#frozen-mark", "FIGÉE PAR VOUS · ")
    await desk.chord("Alt+f")
    await desk.wait_for_hidden("#frozen")


async def measured(desk: FirefoxTab) -> None:
    """The line of the network and the last minute, from what Firefox tells of its connections."""
    await desk.wait_for_selector("#network-box[data-level]")
    facts = await desk.text_content("#network-facts")
    assert re.fullmatch(r"\d+ i/s · \d+×\d+ · direct", facts), facts
    graph = await desk.text_content("#graph-text")
    assert re.match(r"Dernière minute : [1-9]\d* images par seconde", graph), graph
    assert await desk.evaluate(BARS) > 0


async def looking_on(home: House, desk: FirefoxTab, fox: Firefox) -> FirefoxTab:
    """A crew is invited, and sees."""
    await desk.chord("Alt+o")
    await desk.fill("#observers-name", "SMUR Tours")
    await desk.fill("#observers-to", CREW)
    await desk.press("#observers-to", "Enter")
    await desk.wait_for_hidden("#observers")
    sms = await home.kannel.messages.next(to=CREW)
    found = LOOK.search(sms.text)
    assert found, sms.text
    crew = await fox.person("crew", PHONE)
    await crew.goto(found.group(0))
    await crew.wait_for_selector("body[data-ready=true]")
    await crew.click("#join")
    await moving_picture(crew, "#patient", gap=SLOW)
    await crew.wait_for_selector("#stage[data-picture=flowing]")
    await no_audio(crew, peers=1)
    assert not await axe(crew)
    await until_text(desk, "#people li[data-kind=observer]", "voit l’image")
    return crew


async def over_a_weak_network(desk: FirefoxTab, phone: FirefoxTab, crew: FirefoxTab) -> None:
    """No datagram passes any more: stills, marked as such; then the video is back, by itself; a photo beside it."""
    with media_dropped():
        await stills_flow(desk)
        await phone.wait_for_selector("#weak")
        await until_text(desk, "#say-cause", "images fixes")
    await desk.wait_for_selector(LIVE)
    await moving_picture(desk, "#patient", gap=SLOW)
    await moving_picture(crew, "#patient", gap=SLOW)
    await phone.wait_for_hidden("#weak")
    await desk.chord("Alt+v")
    await phone.tap("#photo-take")
    await photo_shown(desk)
    await until_text(desk, "#photo-mark", "PHOTO · prise à")
    await until_text(phone, "#photo-text", "The doctor has your photo")
    await no_audio(phone, peers=2)
    await no_audio(desk, peers=1)

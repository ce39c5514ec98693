"""The floors, in a process of their own like the product: two bare pages that signal directly, a UDP echo, a relay.

Usage: python -m tests.bench.floor HTTP_PORT UDP_PORT
"""

from __future__ import annotations

import asyncio
import gc
import sys

import tornado.httpserver
import tornado.web
import tornado.websocket

SHELL = """<!doctype html><html lang="fr"><head><title>floor</title><link rel="icon" href="data:,"></head>
<body><button id="tap">tap</button><video id="patient" autoplay muted playsinline></video><ul id="calls"></ul>
<script type="module">%s</script></body></html>"""

PEER = """
const wire = new BroadcastChannel('floor');
const pc = new RTCPeerConnection({iceServers: [], bundlePolicy: 'max-bundle'});
const early = [];
pc.onicecandidate = (e) => wire.postMessage({from: ME, candidate: e.candidate ? e.candidate.toJSON() : null});
const heard = async (m) => {
  if (m.from === ME) return;
  if (m.sdp) {
    await pc.setRemoteDescription({type: ME === 'desk' ? 'offer' : 'answer', sdp: m.sdp});
    if (ME === 'desk') { await pc.setLocalDescription(); wire.postMessage({from: ME, sdp: pc.localDescription.sdp}); }
    for (const c of early.splice(0)) await pc.addIceCandidate(c ?? undefined);
  } else if (pc.remoteDescription) await pc.addIceCandidate(m.candidate ?? undefined);
  else early.push(m.candidate);
};
let queue = Promise.resolve();
wire.onmessage = (e) => { queue = queue.then(() => heard(e.data)); };
"""

DESK = (
    "const ME = 'desk';"
    + PEER
    + "pc.ontrack = (e) => { document.querySelector('#patient').srcObject = new MediaStream([e.track]); };"
)

PHONE = (
    "const ME = 'phone';"
    + PEER
    + """
document.querySelector('#tap').onclick = async () => {
  const wish = {video: {facingMode: {ideal: 'environment'}, width: {ideal: 1280}, height: {ideal: 720}}, audio: false};
  const media = await navigator.mediaDevices.getUserMedia(wish);
  pc.addTransceiver(media.getVideoTracks()[0], {direction: 'sendrecv', streams: [media]});
  await pc.setLocalDescription();
  wire.postMessage({from: ME, sdp: pc.localDescription.sdp});
};
"""
)

ECHO = """
const list = document.querySelector('#calls');
const socket = new WebSocket(location.href.replace('http', 'ws').replace('/echo', '/socket'));
socket.onopen = () => { document.body.dataset.open = 'true'; };
socket.onmessage = (e) => {
  const row = document.createElement('li');
  row.title = e.data;
  list.prepend(row);
  if (list.children.length > 12) list.lastElementChild.remove();
};
"""


class Page(tornado.web.RequestHandler):
    def initialize(self, script: str) -> None:
        self.script = script

    def get(self) -> None:
        self.finish(SHELL % self.script)


class Socket(tornado.websocket.WebSocketHandler):
    def initialize(self, listeners: set[Socket]) -> None:
        self.listeners = listeners

    def open(self, *_args: str, **_kwargs: str) -> None:
        self.set_nodelay(True)
        self.listeners.add(self)

    def on_close(self) -> None:
        self.listeners.discard(self)


class Relay(tornado.websocket.WebSocketHandler):
    """Passes every frame of one end of a pair to the other, unread."""

    def initialize(self, pairs: dict[str, list[Relay]]) -> None:
        self.pairs = pairs

    def open(self, *args: str, **_kwargs: str) -> None:
        self.set_nodelay(True)
        self.pair = self.pairs.setdefault(args[0], [])
        self.pair.append(self)

    def on_message(self, message: str | bytes) -> None:
        for each in self.pair:
            if each is not self:
                _ = each.write_message(message)


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, listeners: set[Socket]) -> None:
        self.listeners = listeners

    def datagram_received(self, data: bytes, _addr: object) -> None:
        for each in self.listeners:
            _ = each.write_message(data.decode())


async def main(http: int, udp: int) -> None:
    listeners: set[Socket] = set()
    app = tornado.web.Application(
        [
            ("/desk", Page, {"script": DESK}),
            ("/phone", Page, {"script": PHONE}),
            ("/echo", Page, {"script": ECHO}),
            ("/socket", Socket, {"listeners": listeners}),
            ("/relay/([0-9]+)", Relay, {"pairs": {}}),
        ]
    )
    tornado.httpserver.HTTPServer(app).listen(http, "127.0.0.1")
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Datagrams(listeners), local_addr=("127.0.0.1", udp))
    gc.collect()
    gc.freeze()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))

import assert from "node:assert/strict";
import { test } from "node:test";
import { DeskPeer, spared } from "../../../static/js/rtc/desk_peer.js";

const OFFER = ["m=video 9 UDP/TLS/RTP/SAVPF 96 97 102", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000", "a=rtpmap:102 H264/90000"].join("\r\n");
const own = ["video/VP8", "video/rtx", "video/VP9", "video/H264", "video/H264"].map((mimeType) => ({ mimeType }));
const names = (codecs) => codecs?.map(({ mimeType }) => mimeType) ?? null;

test("a codec that is not decoded is left out of the answer while another is offered", () => {
  assert.deepEqual(names(spared(own, OFFER, new Set(["video/VP8"]))), ["video/rtx", "video/VP9", "video/H264", "video/H264"]);
  assert.deepEqual(names(spared(own, OFFER, new Set(["video/h264"]))), ["video/VP8", "video/rtx", "video/VP9"]);
});

test("a line without any picture is never answered", () => {
  assert.equal(spared(own, OFFER, new Set(["video/VP8", "video/H264"])), null, "VP9 is not offered, rtx is no picture");
  assert.equal(spared(own, OFFER, new Set()), null);
  assert.equal(spared(own, OFFER, new Set(["video/AV1"])), null, "nothing to leave out");
  assert.equal(spared([], OFFER, new Set(["video/VP8"])), null);
});

/** A browser's connection, as far as an answer needs one. */
class Connection {
  remoteDescription = null;
  localDescription = null;
  transceiver = {
    direction: "recvonly",
    sender: { track: null, replaceTrack: async (track) => (this.transceiver.sender.track = track) },
    setCodecPreferences: (codecs) => (this.preferred = names(codecs)),
  };
  answer = OFFER;
  async setRemoteDescription(description) {
    this.remoteDescription = description;
  }
  async createAnswer() {
    return { type: "answer", sdp: this.answer };
  }
  async setLocalDescription(description) {
    this.localDescription = description;
  }
  getTransceivers() {
    return [this.transceiver];
  }
  close() {}
}

function answering(broken = new Set()) {
  globalThis.RTCPeerConnection = Connection;
  globalThis.RTCRtpTransceiver = class { setCodecPreferences() {} };
  globalThis.RTCRtpReceiver = { getCapabilities: () => ({ codecs: own }) };
  const sent = [];
  const peer = new DeskPeer({ ice: null, send: (message) => sent.push(message), broken: () => broken });
  return { peer, pc: peer.pc, sent };
}

const offered = (session, version = 1) => [`o=- ${session} ${version} IN IP4 127.0.0.1`, OFFER, "a=ice-ufrag:aB3+"].join("\r\n");

test("an answer goes both ways, with the webcam, and without what is not decoded", async () => {
  const { peer, pc, sent } = answering(new Set(["video/VP8"]));
  await peer.offer(offered(1), "webcam");
  assert.equal(pc.transceiver.direction, "sendrecv");
  assert.equal(pc.transceiver.sender.track, "webcam");
  assert.deepEqual(pc.preferred, ["video/rtx", "video/VP9", "video/H264", "video/H264"]);
  assert.deepEqual(sent, [{ type: "signal.answer", sdp: OFFER }]);
});

test("an offer heard twice is answered twice the same; a new version is answered anew", async () => {
  const { peer, pc, sent } = answering();
  await peer.offer(offered(1), null);
  const first = pc.localDescription;
  await peer.offer(offered(1), null);
  assert.equal(pc.localDescription, first);
  await peer.offer(offered(1, 2), null);
  assert.notEqual(pc.localDescription, first);
  assert.equal(sent.length, 3);
});

test("an answer with anything but one picture never leaves (I1)", async (t) => {
  const { warn } = console;
  console.warn = () => undefined;
  t.after(() => (console.warn = warn));
  const { peer, pc, sent } = answering();
  pc.answer = `${OFFER}\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111`;
  await peer.offer(offered(1), null);
  assert.deepEqual(sent, []);
});

test("another connection of the phone is not this one's to answer, nor anything once it is closed", async () => {
  const { peer } = answering();
  assert.equal(peer.accepts(offered(1)), true);
  await peer.offer(offered(1), null);
  assert.equal(peer.accepts(offered(1, 2)), true);
  assert.equal(peer.accepts(offered(2)), false);
  peer.close();
  assert.equal(peer.accepts(offered(1)), false);
});

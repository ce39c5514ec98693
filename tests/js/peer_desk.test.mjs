import assert from "node:assert/strict";
import { test } from "node:test";
import { spared } from "../../static/js/peer_desk.js";

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

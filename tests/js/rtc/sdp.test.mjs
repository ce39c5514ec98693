import assert from "node:assert/strict";
import { test } from "node:test";
import { generation, origin, pictures, silent } from "../../../static/js/rtc/sdp.js";

const sdp = (...lines) => ["v=0", "o=- 4611 2 IN IP4 127.0.0.1", "s=-", ...lines, ""].join("\r\n");

test("one video line passes, everything else is refused", () => {
  assert.ok(silent(sdp("m=video 9 UDP/TLS/RTP/SAVPF 96")));
  for (const lines of [[], ["m=audio 9 UDP/TLS/RTP/SAVPF 111"], ["m=video 9 X 96", "m=audio 9 X 111"], ["m=video 9 X 96", "m=video 9 X 96"], ["m=video 9 X 96", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"]]) {
    assert.throws(() => silent(sdp(...lines)), /unplanned media/);
  }
});

test("the origin tells one connection of the phone from the next", () => {
  assert.equal(origin(sdp()), "4611");
  assert.equal(origin(""), "");
});

test("an ICE restart or a new version is another offer, a repetition is not", () => {
  const first = sdp("m=video 9 X 96", "a=ice-ufrag:aB3+");
  assert.equal(generation(first), generation(first));
  assert.notEqual(generation(first), generation(first.replace("aB3+", "zZ9/")));
  assert.notEqual(generation(first), generation(first.replace("4611 2", "4611 3")));
  assert.equal(origin(first), origin(first.replace("4611 2", "4611 3")));
});

test("a browser's codecs are offered as they are, as long as all are known", () => {
  const usual = ["video/VP8", "video/rtx", "video/H264", "video/AV1", "video/red", "video/ulpfec", "video/flexfec-03"];
  assert.equal(pictures(usual.map((mimeType) => ({ mimeType }))), null);
  assert.equal(pictures([]), null);
});

test("one that nobody knows yet is left out, the others keep their order", () => {
  const codecs = ["video/H266", "video/H265", "video/rtx", "video/new", "video/VP8"].map((mimeType) => ({ mimeType }));
  assert.deepEqual(pictures(codecs), [codecs[1], codecs[2], codecs[4]]);
});

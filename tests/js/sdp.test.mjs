import assert from "node:assert/strict";
import { test } from "node:test";
import { generation, origin, silent } from "../../static/js/sdp.js";

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

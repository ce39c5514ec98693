import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration, origin, silent } from "../../static/js/peer.js";
import { ticking, lay } from "../../static/js/audit.js";

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

test("ICE servers come alone or as a whole configuration", () => {
  assert.deepEqual(configuration([{ urls: "stun:s" }]).iceServers, [{ urls: "stun:s" }]);
  assert.equal(configuration({ iceServers: [], iceTransportPolicy: "relay" }).iceTransportPolicy, "relay");
  assert.deepEqual(configuration(null).iceServers, []);
});

test("the audit's clock has few ticks, and an unknown end stays open", () => {
  for (const span of [900, 60_000, 3_600_000, 86_400_000]) assert.ok(span / ticking(span) <= 8);
  const plan = lay({ call: { started: "2026-01-01T00:00:00Z", answered: "2026-01-01T00:00:05Z", ended: null }, stations: [{ station: "1601", start: "2026-01-01T00:00:05Z", end: "2026-01-01T00:01:00Z" }], sessions: [], events: [] });
  assert.deepEqual(plan.lanes.map((lane) => lane.name), ["ligne 15", "poste 1601"]);
  assert.equal(plan.lanes[0].bars.at(-1).open, true);
  assert.equal(lay({ call: null, sessions: [], events: [] }).lanes.length, 0);
});

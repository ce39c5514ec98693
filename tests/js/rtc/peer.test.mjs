import assert from "node:assert/strict";
import { test } from "node:test";
import { configuration } from "../../../static/js/rtc/peer.js";

test("ICE servers come alone or as a whole configuration", () => {
  assert.deepEqual(configuration([{ urls: "stun:s" }]).iceServers, [{ urls: "stun:s" }]);
  assert.equal(configuration({ iceServers: [], iceTransportPolicy: "relay" }).iceTransportPolicy, "relay");
  assert.deepEqual(configuration(null).iceServers, []);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { Uplink, pairInUse, reading } from "../../../static/js/rtc/uplink.js";

const rows = ({ bytes = 0, frames = 0, available = 800_000, lost = 0.02, rtt = 0.08, why = "none" } = {}) => [
  { type: "transport", id: "T", selectedCandidatePairId: "P" },
  { type: "candidate-pair", id: "P", availableOutgoingBitrate: available, currentRoundTripTime: rtt },
  { type: "candidate-pair", id: "Q", availableOutgoingBitrate: 1 },
  { type: "outbound-rtp", id: "O", kind: "video", bytesSent: bytes, headerBytesSent: 0, framesSent: frames, qualityLimitationReason: why },
  { type: "remote-inbound-rtp", id: "R", kind: "video", fractionLost: lost, roundTripTime: rtt },
];

test("the first reading knows no rate, the second does", () => {
  const first = reading(null, rows({ bytes: 1000, frames: 10 }), 0);
  assert.equal(first.fresh, false);
  const second = reading(first, rows({ bytes: 26_000, frames: 25 }), 1000);
  assert.deepEqual(
    [second.fresh, second.kbits, second.frames, second.available, second.loss, second.rtt],
    [true, 200, 15, 800, 0.02, 80],
  );
});

test("a counter that went back is a new connection, not a negative rate", () => {
  const first = reading(null, rows({ bytes: 9000, frames: 90 }), 0);
  assert.equal(reading(first, rows({ bytes: 10, frames: 1 }), 1000).fresh, false);
});

test("browsers that name no pair mark one, and those that tell nothing say null", () => {
  assert.equal(pairInUse([{ type: "candidate-pair", id: "A" }, { type: "candidate-pair", id: "B", nominated: true, state: "succeeded" }]).id, "B");
  const bare = reading(null, [], 5);
  assert.deepEqual([bare.available, bare.loss, bare.rtt, bare.limited], [null, null, null, "none"]);
});

test("a closed connection refuses to be read: it is passed over", async () => {
  const closed = { pc: { connectionState: "closed", getStats: () => Promise.reject(new Error("closed")) } };
  const each = await new Uplink().sample([closed]);
  assert.equal(each.size, 0);
});

test("frames that leave and nothing that comes back are noticed; a camera that rests is not", () => {
  const at = (former, now, { sent, heard }) =>
    reading(former, [{ type: "transport", id: "T", bytesReceived: heard }, { type: "outbound-rtp", kind: "video", bytesSent: sent * 100, framesSent: sent }], now);
  let read = at(null, 0, { sent: 0, heard: 10 });
  read = at(read, 1000, { sent: 30, heard: 20 });
  assert.equal(read.deaf, 0);
  read = at(at(read, 2000, { sent: 60, heard: 20 }), 3500, { sent: 90, heard: 20 });
  assert.equal(read.deaf, 2500);
  assert.equal(at(read, 4500, { sent: 90, heard: 20 }).deaf, 0);
  assert.equal(at(read, 4500, { sent: 120, heard: 30 }).deaf, 0);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { abilities } from "../../../static/js/caller/help.js";
import { FirstPicture, Later } from "../../../static/js/caller/later.js";
import { FIRST } from "../../../static/js/caller/phase.js";
import { UNKNOWN } from "../../../static/js/caller/truth.js";

const DEVICES = [{ deviceId: "front", label: "camera2 1, facing front" }, { deviceId: "rear", label: "camera2 0, facing back" }];
const MORE = { facing: "environment", prefer: "balanced" };
const TWO = { ...MORE, cameras: 2, lens: null, place: null };

test("a browser that does not tell what its camera can is not taken for one that cannot", () => {
  assert.deepEqual(abilities(null, {}, { ...MORE, devices: DEVICES }), { ...TWO, width: null, height: null, fps: null, torch: null, lit: false, zoom: null });
  assert.equal(abilities({}, {}, { ...MORE, devices: [] }).torch, false);
});

test("what a camera tells is told, as far as it makes sense", () => {
  const told = abilities({ torch: true, zoom: { min: 1, max: 5, step: 0.1 } }, { width: 1280, height: 720, frameRate: 29.97002, torch: true, zoom: 2 }, { ...MORE, devices: DEVICES });
  assert.deepEqual(told, { ...TWO, width: 1280, height: 720, fps: 30, torch: true, lit: true, zoom: { min: 1, max: 5, step: 0.1, value: 2 } });
  const zoom = (wanted) => abilities({ zoom: wanted }, {}, { ...MORE, devices: DEVICES }).zoom;
  assert.equal(zoom({ min: 1, max: 1, step: 0 }), null);
  assert.equal(zoom({ min: 1, max: Number.NaN }), null);
  assert.equal(zoom({ min: 2, max: 3 }).value, 2);
});

test("which lens is on is told with its place; where cameras have no ids, only how many there are", () => {
  const told = (deviceId, devices) => {
    const { cameras, lens, place } = abilities({}, { deviceId }, { ...MORE, devices });
    return { cameras, lens, place };
  };
  assert.deepEqual(told("rear", DEVICES), { cameras: 2, lens: "main", place: 1 });
  assert.deepEqual(told("front", DEVICES), { cameras: 2, lens: "front", place: 2 });
  assert.deepEqual(told(undefined, [{ deviceId: "" }, { deviceId: "" }]), { cameras: 2, lens: null, place: null });
});

test("a part that comes later misses nothing, and is asked for again when it did not come", async () => {
  const heard = [];
  const part = { heard: (message) => heard.push(message.type), drawn: (phase) => heard.push(phase.screen), tracked: () => heard.push("tracked") };
  let asked = 0;
  const later = new Later(() => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error("no network")) : Promise.resolve(part);
  });
  later.heard({ type: "before" });
  assert.equal(asked, 0, "nothing before the first screen changes");
  later.drawn({ screen: "asking" });
  await new Promise(setImmediate);
  later.heard({ type: "help" });
  await new Promise(setImmediate);
  assert.equal(asked, 2);
  assert.deepEqual(heard, ["before", "help", "asking", "tracked"]);
  later.heard({ type: "help.point" });
  later.tracked();
  assert.deepEqual(heard.slice(4), ["help.point", "tracked"]);
});

const SEEN = { ...UNKNOWN, track: "live", granted: true, peers: { a: "up" }, shown: ["a"] };

test("nothing else is loaded before the first picture is there, or something stands in its way, or it takes long", async (t) => {
  // Node.js 18, which Debian 12 has, takes the names alone.
  t.mock.timers.enable(process.versions.node.startsWith("18.") ? ["setTimeout"] : { apis: ["setTimeout"] });
  const over = async (...steps) => {
    const first = new FirstPicture();
    let so = false;
    void first.over.then(() => (so = true));
    const said = [];
    for (const step of steps) {
      if (typeof step === "number") t.mock.timers.tick(step);
      else if (step === "seen") first.drawn({ ...FIRST, screen: "live", truth: SEEN });
      else first.drawn({ ...FIRST, screen: step });
      await Promise.resolve();
      said.push(so);
    }
    return said;
  };
  assert.deepEqual(await over("invite", 60_000, "asking", 1_999, "live", 1), [false, false, false, false, false, true]);
  assert.deepEqual(await over("asking", "live", "seen", 499, "seen", 1), [false, false, false, false, false, true]);
  assert.deepEqual(await over("asking", "trouble", 0), [false, false, true]);
});

/**
 * From lens to lens on phones that are simulated: any lenses, dead ones and slow ones among them, phones that open one at a
 * time, cameras plugged in and out. The page's own camera.js and lens_switch.js do the rest.
 */
import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import "../../../static/js/rtc/lens_switch.js"; // what the camera loads later is here already: a few turns of the loop are enough
import { Camera } from "../../../static/js/rtc/camera.js";

/**
 * @typedef {object} Glass
 * @property {string} id
 * @property {string} label
 * @property {"environment" | "user" | undefined} [facing]
 * @property {boolean} [dead] opens, and gives no frame
 * @property {boolean} [broken] does not open
 * @property {boolean} [hangs] neither opens nor refuses
 */

class Track {
  kind = "video";
  readyState = "live";
  onmute = null;
  onunmute = null;
  onended = null;

  /** @param {Glass} glass */
  constructor(glass) {
    this.glass = glass;
    this.label = glass.label;
  }

  getSettings() {
    return { deviceId: this.glass.id, ...(this.glass.facing ? { facingMode: this.glass.facing } : {}) };
  }

  stop() {
    this.readyState = "ended";
  }
}

class Stream {
  /** @param {Glass} glass */
  constructor(glass) {
    this.tracks = [new Track(glass)];
  }

  getTracks() {
    return this.tracks;
  }

  getVideoTracks() {
    return this.tracks;
  }
}

/** A phone, and the browser around it. */
class Phone {
  /** @type {Track[]} */
  tracks = [];
  /** @type {Record<string, string>} */
  kept = {};
  lost = 0;
  /** @type {string[]} */
  refused = [];
  /** What the track on has said of itself. @type {string[]} */
  told = [];
  /** Whether the lens that is on is muted while another opens, as on some phones. */
  mutes = false;
  /** Lenses that open too late. @type {(() => void)[]} */
  late = [];
  /** The first picture is there. @type {Promise<unknown>} */
  first = Promise.resolve();

  /** @param {Glass[]} glasses @param {{single?: boolean, given?: string}} [more] given: what the browser hands out by itself */
  constructor(glasses, { single = false, given = glasses[0].id } = {}) {
    this.glasses = glasses;
    this.single = single;
    this.given = given;
    const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true });
    define("navigator", { mediaDevices: { getUserMedia: (wish) => this.open(wish.video), enumerateDevices: async () => this.list() } });
    define("document", { hidden: false, visibilityState: "visible", createElement: () => new Probe(), addEventListener() {}, removeEventListener() {} });
    define("sessionStorage", { getItem: (key) => this.kept[key] ?? null, setItem: (key, value) => { this.kept[key] = value; } });
    this.camera = this.page();
  }

  /** The page, loaded now. */
  page() {
    return new Camera({ onTrack: () => undefined, onState: (state) => { this.told.push(state); if (state === "ended") this.lost += 1; }, free: () => this.first, kept: "kept" });
  }

  list() {
    return this.glasses.map(({ id, label }) => ({ kind: "videoinput", deviceId: id, label, groupId: "" }));
  }

  async open({ deviceId, facingMode }) {
    for (const track of this.mutes ? this.live : []) {
      track.muted = true;
      track.onmute?.();
    }
    const byId = (id) => this.glasses.find((glass) => glass.id === id);
    if (deviceId?.exact && !byId(deviceId.exact)) throw new DOMException("", "OverconstrainedError");
    if (facingMode?.exact && !this.glasses.some(({ facing }) => facing === facingMode.exact)) throw new DOMException("", "OverconstrainedError");
    const wanted = facingMode?.exact ?? (facingMode?.ideal === "user" ? "user" : undefined);
    const glass = byId(deviceId?.exact) ?? byId(deviceId?.ideal) ?? this.glasses.find(({ facing }) => facing === wanted && wanted) ?? byId(this.given) ?? this.glasses[0];
    if (!glass) throw new DOMException("", "NotFoundError");
    if (glass.hangs) return new Promise((resolve) => this.late.push(() => resolve(this.opened(glass))));
    if (glass.broken || (this.single && this.live.length > 0)) {
      this.refused.push(glass.id);
      throw new DOMException("", "NotReadableError");
    }
    return this.opened(glass);
  }

  opened(glass) {
    const stream = new Stream(glass);
    this.tracks.push(...stream.tracks);
    return stream;
  }

  get live() {
    return this.tracks.filter(({ readyState }) => readyState === "live");
  }

  get on() {
    return this.camera.device;
  }

  async start() {
    await this.camera.start();
    await settled();
  }

  async press() {
    await this.camera.turn();
    return this.on;
  }
}

/** Shows at once whether a lens gives frames: its patience is not waited for. */
class Probe {
  /** @param {Stream | null} stream */
  set srcObject(stream) {
    if (!stream) return;
    const { dead } = stream.tracks[0].glass;
    setImmediate(() => (dead ? timers.fire() : this.onloadeddata?.()));
  }

  onloadeddata = null;

  async play() {
    return undefined;
  }
}

/** Patience that ends when the phone says so. */
const timers = {
  real: { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout },
  /** @type {Set<() => void>} */
  set: new Set(),
  fire() {
    for (const act of [...this.set]) act();
  },
};
globalThis.setTimeout = (act) => {
  timers.set.add(act);
  return act;
};
globalThis.clearTimeout = (act) => timers.set.delete(act);

afterEach(() => timers.set.clear());

/** What `start` leaves to do has been done. */
async function settled() {
  for (let i = 0; i < 50; i += 1) await new Promise(setImmediate);
}

/** @param {number} n @param {object} [more] @returns {Glass} */
const rear = (n, more = {}) => ({ id: `r${n}`, label: `camera2 ${n}, facing back`, facing: "environment", ...more });
/** @param {number} n @param {object} [more] @returns {Glass} */
const front = (n, more = {}) => ({ id: `f${n}`, label: `camera2 ${n}, facing front`, facing: "user", ...more });

test("the ultra-wide lens is given: the main one comes by itself, then each in turn", async () => {
  for (const single of [false, true]) {
    const phone = new Phone([rear(2), rear(0), front(1)], { single, given: "r2" });
    await phone.start();
    assert.equal(phone.on, "r0");
    assert.deepEqual([await phone.press(), await phone.press(), await phone.press()], ["f1", "r2", "r0"]);
    assert.equal(phone.live.length, 1);
    assert.equal(phone.camera.facing, "environment");
  }
});

test("a phone that opens one lens at a time is known as such after one refusal", async () => {
  const phone = new Phone([rear(0), front(1), rear(2)], { single: true });
  await phone.start();
  assert.deepEqual([await phone.press(), await phone.press()], ["f1", "r2"]);
  assert.deepEqual(phone.refused, ["f1"]);
});

test("two presses at once are two changes, one after the other", async () => {
  for (const single of [false, true]) {
    const phone = new Phone([rear(0), front(1), rear(2)], { single });
    await phone.start();
    await Promise.all([phone.camera.turn(), phone.camera.turn()]);
    assert.equal(phone.on, "r2");
    assert.deepEqual(phone.live.map(({ glass }) => glass.id), ["r2"]);
    assert.deepEqual(phone.refused, single ? ["f1"] : []);
  }
});

test("behind another page no lens is settled, and one without frames is not dead", async () => {
  const phone = new Phone([rear(2), rear(0), front(1)], { given: "r2" });
  Object.assign(document, { hidden: true, visibilityState: "hidden", addEventListener: (_, look) => (phone.look = look) });
  await phone.start();
  assert.equal(phone.on, "r2");
  Object.assign(document, { hidden: false, visibilityState: "visible" });
  phone.look();
  await settled();
  assert.equal(phone.on, "r0");
  document.hidden = true;
  phone.glasses[2].dead = true;
  assert.equal(await phone.press(), "r2");
  document.hidden = false;
  phone.glasses[2].dead = false;
  assert.deepEqual([await phone.press(), await phone.press()], ["r0", "f1"]);
});

test("the lens that is on goes on until the other one gives frames", async () => {
  const phone = new Phone([rear(0), front(1)]);
  await phone.start();
  const former = phone.camera.track;
  const turning = phone.camera.turn();
  let gap = false;
  while (phone.on !== "f1") {
    gap ||= former.readyState !== "live";
    await new Promise(setImmediate);
  }
  await turning;
  assert.equal(gap, false);
  assert.equal(former.readyState, "ended");
});

test("a lens that cannot be opened, and one that stays black, are passed; the black one is not tried again", async () => {
  const phone = new Phone([rear(0), front(1, { dead: true }), rear(2, { broken: true }), rear(3)]);
  await phone.start();
  assert.deepEqual([await phone.press(), await phone.press(), await phone.press()], ["r3", "r0", "r3"]);
  assert.equal(phone.tracks.filter(({ glass }) => glass.id === "f1").length, 2, "beside, and alone: no more");
  assert.equal(phone.refused.filter((id) => id === "r2").length, 3, "alone; then once a round, beside and alone");
  assert.equal(phone.live.length, 1);
});

test("no other lens works: the former one is on again", async () => {
  for (const single of [false, true]) {
    const phone = new Phone([rear(0), rear(2, { dead: true }), front(1, { broken: true })], { single });
    await phone.start();
    assert.equal(await phone.press(), "r0");
    assert.equal(await phone.press(), "r0");
    assert.equal(phone.camera.works, true);
    assert.equal(phone.lost, 0);
  }
});

test("nothing can be opened any more: the page is told, and asks again in its own way", async () => {
  const phone = new Phone([rear(0), front(1, { dead: true })]);
  await phone.start();
  phone.glasses[0].broken = true;
  await phone.camera.turn();
  assert.equal(phone.camera.works, false);
  assert.equal(phone.lost, 1);
  assert.equal(phone.camera.switching, false);
});

test("the lens that is on is muted while another one opens: no telephone call, unless it stays so", async () => {
  const phone = new Phone([rear(0), front(1)]);
  await phone.start();
  phone.mutes = true;
  assert.equal(await phone.press(), "f1");
  assert.equal(phone.told.includes("muted"), false);
  phone.glasses = phone.glasses.filter(({ id }) => id === "f1");
  assert.equal(await phone.press(), "f1");
  assert.equal(phone.told.filter((state) => state === "muted").length, 1);
  assert.equal(phone.told.at(-1), "muted");
});

test("a camera that is over before its lens is settled is asked for by the page, and not twice", async () => {
  const phone = new Phone([rear(2), rear(0)], { given: "r2" });
  let free = () => undefined;
  phone.first = new Promise((resolve) => (free = resolve));
  await phone.start();
  phone.camera.track.stop();
  free();
  await settled();
  assert.equal(phone.tracks.length, 1);
  assert.equal(phone.told.at(-1), "ended");
});

test("a lens that never answers is passed, and let go when it opens after all; the next press works", async () => {
  const phone = new Phone([rear(0), front(1, { hangs: true }), rear(2)]);
  await phone.start();
  const press = phone.camera.turn();
  for (let i = 0; i < 4; i += 1) {
    await settled();
    timers.fire();
  }
  await press;
  assert.equal(phone.on, "r2");
  for (const open of phone.late) open();
  await settled();
  assert.deepEqual(phone.live.map(({ glass }) => glass.id), ["r2"]);
  assert.equal(await phone.press(), "r0");
});

test("a camera that is plugged in comes before any other comes twice; one that is gone is passed", async () => {
  const phone = new Phone([rear(0), front(1)]);
  await phone.start();
  assert.equal(await phone.press(), "f1");
  phone.glasses.push({ id: "usb", label: "Endoscope USB2.0" });
  assert.equal(await phone.press(), "usb");
  assert.equal(phone.camera.facing, "environment");
  phone.glasses = phone.glasses.filter(({ id }) => id !== "usb");
  assert.equal(await phone.press(), "r0");
});

test("a camera that is plugged in later does not push out those that have not come yet", async () => {
  const phone = new Phone([rear(0), front(1), rear(2)]);
  await phone.start();
  for (const lens of ["f1", "r2", "r0"]) assert.equal(await phone.press(), lens);
  phone.glasses.push({ id: "usb", label: "Endoscope USB2.0" });
  for (const lens of ["f1", "usb", "r0"]) assert.equal(await phone.press(), lens);
});

test("labels and sides that nobody tells: each camera in turn, in the order of the list", async () => {
  const phone = new Phone(["a", "b", "c"].map((id) => ({ id, label: "" })));
  await phone.start();
  assert.deepEqual([await phone.press(), await phone.press(), await phone.press()], ["b", "c", "a"]);
});

test("a browser that lists one camera only is asked for the other side", async () => {
  for (const single of [false, true]) {
    const phone = new Phone([rear(0), front(1)], { single });
    phone.list = () => [{ kind: "videoinput", deviceId: "", label: "", groupId: "" }];
    await phone.start();
    assert.equal(await phone.press(), "f1");
    assert.equal(phone.camera.facing, "user");
    assert.equal(await phone.press(), "r0");
  }
});

test("a page that is loaded again takes the same lens, by id or by label; the main one is not forced upon it", async () => {
  const phone = new Phone([rear(2), rear(0), front(1)], { given: "r2" });
  await phone.start();
  await phone.press();
  assert.equal(await phone.press(), "r2");
  phone.camera.stop();
  phone.camera = phone.page();
  await phone.start();
  assert.equal(phone.on, "r2");
  assert.equal(await phone.press(), "r0");
  phone.camera.stop();
  phone.glasses = phone.glasses.map((glass) => ({ ...glass, id: `${glass.id} of another page` }));
  phone.given = phone.glasses[0].id;
  phone.camera = phone.page();
  await phone.start();
  assert.equal(phone.on, "r0 of another page");
});

test("a camera that is got back is the same one", async () => {
  const phone = new Phone([rear(0), rear(2), front(1)], { given: "r0" });
  await phone.start();
  assert.deepEqual([await phone.press(), await phone.press()], ["f1", "r2"]);
  phone.camera.track.stop();
  await phone.start();
  assert.equal(phone.on, "r2");
});

test("what was kept and makes no sense is none", async () => {
  for (const text of ["", "{", "null", "7", '"x"', "[]", '{"id": 3}', '{"id": "gone", "label": "", "facing": "sideways"}']) {
    const phone = new Phone([rear(0), front(1)]);
    phone.kept.kept = text;
    phone.camera = phone.page();
    await phone.start();
    assert.equal(phone.on, "r0", text);
    assert.equal(phone.camera.facing, "environment", text);
    assert.equal(await phone.press(), "f1", text);
  }
});

test("a storage that throws keeps nothing, and hinders nothing", async () => {
  const phone = new Phone([rear(0), front(1)]);
  const throws = () => { throw new DOMException("", "SecurityError"); };
  Object.defineProperty(globalThis, "sessionStorage", { get: throws, configurable: true });
  phone.camera = phone.page();
  await phone.start();
  assert.equal(await phone.press(), "f1");
});

test("a lens that hangs is opened again, then left for another", async () => {
  const phone = new Phone([rear(0), front(1), rear(2)]);
  await phone.start();
  const first = phone.camera.track;
  await phone.camera.revive();
  assert.equal(phone.on, "r0");
  assert.notEqual(phone.camera.track, first);
  await phone.camera.revive();
  assert.equal(phone.on, "f1");
  assert.deepEqual([await phone.press(), await phone.press()], ["r2", "f1"], "the one that hangs is passed");
});

test("the video ends while another lens opens: it is let go", async () => {
  const phone = new Phone([rear(0), front(1)]);
  await phone.start();
  phone.kept = {};
  const turning = phone.camera.turn();
  phone.camera.stop();
  await turning;
  assert.deepEqual(phone.live, []);
  assert.deepEqual(phone.kept, {});
});

test("a press while the main lens comes is not lost", async () => {
  const phone = new Phone([rear(2), rear(0), front(1)], { given: "r2" });
  await phone.camera.start();
  await phone.press();
  await settled();
  assert.notEqual(phone.on, "r2");
  assert.equal(phone.live.length, 1);
});

test("a press before the first picture counts: the lens of before is not forced upon it", async () => {
  const phone = new Phone([rear(2), rear(0), front(1)], { given: "r2" });
  phone.kept.kept = JSON.stringify({ id: "of another page", label: rear(0).label, facing: "environment" });
  let there = () => undefined;
  phone.first = new Promise((resolve) => { there = resolve; });
  phone.camera = phone.page();
  await phone.start();
  assert.equal(phone.on, "r2");
  const pressed = await phone.press();
  assert.notEqual(pressed, "r2");
  assert.equal(await phone.press(), ["r0", "f1"].find((id) => id !== pressed));
  there();
  await settled();
  assert.notEqual(phone.on, pressed);
});

/** Numbers that look like chance, the same each time. @param {number} seed */
function chance(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test("whatever the phone: n presses reach every lens that gives frames, none twice before the others", async () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const pick = chance(seed);
    const flaw = () => [{}, {}, {}, { dead: true }, { broken: true }][pick(5)];
    const glasses = Array.from({ length: 1 + pick(6) }, (_, i) =>
      [rear(i, flaw()), front(i, flaw()), { id: `u${i}`, label: ["", "USB Camera"][pick(2)], ...flaw() }][pick(3)]);
    const able = glasses.filter(({ dead, broken }) => !dead && !broken).map(({ id }) => id);
    if (able.length === 0) continue;
    const phone = new Phone(glasses, { single: pick(2) === 1, given: able[pick(able.length)] });
    await phone.start();
    const from = phone.on;
    for (let turn = 0; turn < 2; turn += 1) {
      const reached = [];
      for (let i = 0; i < able.length; i += 1) reached.push(await phone.press());
      assert.deepEqual(reached.toSorted(), able.toSorted(), `seed ${seed}: ${JSON.stringify(glasses)} from ${from}`);
      assert.equal(phone.live.length, 1, `seed ${seed}`);
    }
  }
});

test("random lives: a camera is on after each step, one only, and the page knows which", async () => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const pick = chance(seed);
    const phone = new Phone([rear(0), rear(2), front(1)], { single: pick(2) === 1 });
    await phone.start();
    for (let step = 0; step < 15; step += 1) {
      const what = pick(6);
      if (what === 0) phone.glasses.push({ id: `usb${step}`, label: "USB Camera" });
      else if (what === 1) phone.glasses = phone.glasses.filter(({ id }) => !id.startsWith("usb") || id === phone.on);
      else if (what === 2) await phone.camera.revive();
      else if (what === 3) {
        phone.camera.stop();
        phone.camera = phone.page();
        await phone.start();
      } else await phone.press();
      assert.equal(phone.live.length, 1, `seed ${seed}, step ${step}: ${what}`);
      assert.equal(phone.camera.lens.id, phone.on, `seed ${seed}, step ${step}: ${what}`);
      assert.equal(JSON.parse(phone.kept.kept).id, phone.on, `seed ${seed}, step ${step}: ${what}`);
    }
  }
});

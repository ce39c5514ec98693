import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST } from "../../../../static/js/caller/camera/again.js";
import { AskAgain } from "../../../../static/js/caller/camera/ask_again.js";
import { FIRST, advance } from "../../../../static/js/caller/phase.js";
import { replaced } from "../../globals.mjs";

const GAP = 2_000;

/** A phone with a clock of its own: timers run in their order, nothing waits. */
function phone() {
  let clock = 0;
  let timers = [];
  let last = 0;
  const page = new EventTarget();
  const permission = Object.assign(new EventTarget(), { state: "prompt" });
  const devices = new EventTarget();
  const put = (run, ms, every) => {
    last += 1;
    timers.push({ id: last, at: clock + ms, run, every });
    return last;
  };
  const globals = {
    document: Object.assign(new EventTarget(), { hidden: false }),
    addEventListener: page.addEventListener.bind(page),
    screen: {},
    navigator: { mediaDevices: devices, permissions: { query: async () => permission } },
    performance: { now: () => clock },
    setTimeout: (run, ms) => put(run, ms),
    setInterval: (run, ms) => put(run, ms, ms),
    clearTimeout: (id) => (timers = timers.filter((timer) => timer.id !== id)),
  };
  const done = replaced(globals);
  const it = {
    phase: { ...FIRST },
    asked: [],
    /** The camera is being asked for by somebody else on the page. */
    taken: false,
    /** Frames that each connection has taken. */
    sent: () => [],
    camera: null,
    /** What the camera answers: the events that follow a question. */
    answer: () => [{ type: "trouble", why: "busy" }],
    now: () => clock,
    learn(event) {
      it.phase = advance(it.phase, event);
      it.part?.drawn(it.phase);
    },
    sign: (type) => page.dispatchEvent(new Event(type)),
    plugged: () => devices.dispatchEvent(new Event("devicechange")),
    permit(state) {
      permission.state = state;
      permission.dispatchEvent(new Event("change"));
    },
    hide(hidden) {
      globals.document.hidden = hidden;
      globals.document.dispatchEvent(new Event("visibilitychange"));
    },
    async pass(ms) {
      const end = clock + ms;
      for (;;) {
        await Promise.resolve();
        const next = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        clock = Math.max(clock, next.at);
        timers = timers.filter((timer) => timer !== next);
        if (next.every) timers.push({ ...next, at: clock + next.every });
        next.run();
      }
      clock = end;
    },
    done,
  };
  const camera = {
    turning: false,
    track: {},
    look: () => undefined,
    again() {
      if (it.taken) return false;
      it.asked.push(clock);
      it.learn({ type: "tried" });
      for (const event of it.answer()) it.learn(event);
      return true;
    },
  };
  const own = { paused: false, play: async () => undefined, getVideoPlaybackQuality: () => ({ totalVideoFrames: 0 }) };
  Object.assign(it, { own, camera });
  it.part = new AskAgain(own, { phase: () => it.phase, learn: it.learn, camera, sent: async () => it.sent() });
  return it;
}

/** Filmed, then lost: the camera ended and another application has it. */
async function lost(run) {
  const it = phone();
  try {
    for (const event of [{ type: "tap" }, { type: "granted", track: "live" }]) it.learn(event);
    await it.pass(1_000);
    it.learn({ type: "track", track: "ended" });
    await run(it);
  } finally {
    it.done();
  }
}

test("a camera that ended is asked for at once, then less and less often, for an hour", () =>
  lost(async (it) => {
    await it.pass(3_600_000);
    const pauses = it.asked.map((at, i) => at - (it.asked[i - 1] ?? 1_000));
    assert.deepEqual(pauses.slice(0, 7), [0, 2_000, 4_000, 8_000, 16_000, MOST, MOST]);
    assert.ok(it.asked.length > 100);
  }));

test("no frame in a preview that plays is a camera that hangs; in one that the browser holds back it says nothing", async () => {
  for (const [paused, track] of [[false, "still"], [true, "live"]]) {
    const it = phone();
    try {
      Object.assign(it.own, { paused, requestVideoFrameCallback: () => 0 });
      it.answer = () => [];
      for (const event of [{ type: "tap" }, { type: "granted", track: "live" }]) it.learn(event);
      await it.pass(5_000);
      assert.equal(it.phase.truth.track, track);
    } finally {
      it.done();
    }
  }
});

test("a camera that cannot be asked for just then is asked for a second later", () =>
  lost(async (it) => {
    it.taken = true;
    await it.pass(4_500);
    it.taken = false;
    await it.pass(1_000);
    assert.equal(it.asked.length, 1);
  }));

test("a camera back for a while is asked for at once the next time; no frame while its lens turns says nothing", () =>
  lost(async (it) => {
    it.answer = () => [];
    await it.pass(60_000);
    it.sent = () => [it.now()];
    it.learn({ type: "granted", track: "live" });
    await it.pass(4_000);
    assert.notEqual(it.phase.truth.tries, 0);
    await it.pass(2_000);
    assert.equal(it.phase.truth.tries, 0);
    it.camera.turning = true;
    it.sent = () => [1];
    await it.pass(10_000);
    assert.equal(it.phase.truth.track, "live");
    it.camera.turning = false;
    await it.pass(2_000);
    assert.equal(it.phase.truth.track, "still");
  }));

test("a sign of life asks at once, but no two within two seconds", () =>
  lost(async (it) => {
    await it.pass(120_000);
    const before = it.asked.length;
    await it.pass(10_000);
    for (const type of ["focus", "pageshow", "online", "orientationchange"]) it.sign(type);
    it.plugged();
    await it.pass(1);
    assert.equal(it.asked.length, before + 1);
    it.plugged();
    await it.pass(GAP - 10);
    assert.equal(it.asked.length, before + 1);
    await it.pass(10);
    assert.equal(it.asked.length, before + 2);
  }));

test("nothing is asked behind another page, and the return asks at once", () =>
  lost(async (it) => {
    await it.pass(60_000);
    it.hide(true);
    const before = it.asked.length;
    await it.pass(600_000);
    assert.equal(it.asked.length, before);
    it.hide(false);
    await it.pass(1);
    assert.equal(it.asked.length, before + 1);
    await it.pass(10_000);
    assert.ok(it.asked.length >= before + 3, "a return begins anew with short pauses");
  }));

test("who refuses is asked once on return, and by a permission that changes", () =>
  lost(async (it) => {
    it.answer = () => [{ type: "trouble", why: "denied" }];
    await it.pass(1);
    assert.equal(it.asked.length, 1);
    for (const type of ["focus", "pageshow", "online"]) it.sign(type);
    it.plugged();
    await it.pass(600_000);
    assert.equal(it.asked.length, 1);
    for (let i = 0; i < 5; i += 1) {
      it.hide(true);
      it.hide(false);
      await it.pass(10_000);
    }
    assert.equal(it.asked.length, 2);
    it.permit("denied");
    await it.pass(60_000);
    assert.equal(it.asked.length, 2);
    it.answer = () => [{ type: "granted", track: "live" }];
    it.permit("granted");
    await it.pass(1);
    assert.equal(it.asked.length, 3);
    assert.equal(it.phase.screen, "live");
    await it.pass(600_000);
    assert.equal(it.asked.length, 3);
  }));

test("before the first yes a camera in use is asked for as well, without a touch", async () => {
  const it = phone();
  try {
    for (const event of [{ type: "tap" }, { type: "trouble", why: "busy" }]) it.learn(event);
    await it.pass(2_000);
    assert.equal(it.asked.length, 1);
    assert.equal(it.phase.screen, "trouble");
    it.answer = () => [{ type: "granted", track: "live" }];
    it.plugged();
    await it.pass(2_000);
    assert.equal(it.phase.screen, "live");
  } finally {
    it.done();
  }
});

test("where no camera can be asked for, none is: neither by a clock nor on return", async () => {
  for (const why of ["insecure", "in_app", "unable", "cookies", "network"]) {
    for (const before of [[], [{ type: "tap" }]]) {
      const it = phone();
      try {
        for (const event of [...before, { type: "trouble", why }]) it.learn(event);
        it.hide(true);
        it.hide(false);
        it.plugged();
        await it.pass(60_000);
        assert.deepEqual(it.asked, [], why);
        assert.equal(it.phase.trouble, why);
      } finally {
        it.done();
      }
    }
  }
});

test("whatever happens, a camera that is away is asked for within the longest pause", () =>
  lost(async (it) => {
    const answers = [
      () => [{ type: "trouble", why: "busy" }], () => [{ type: "trouble", why: "none" }], () => [{ type: "granted", track: "muted" }],
      () => [{ type: "granted", track: "ended" }], () => [{ type: "granted", track: "live" }, { type: "track", track: "ended" }],
    ];
    let seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
    const begun = seed;
    const random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 4_294_967_296;
    };
    const pick = (list) => list[Math.floor(random() * list.length)];
    for (let i = 0; i < 400; i += 1) {
      it.answer = pick(answers);
      pick([() => it.sign("focus"), () => it.plugged(), () => it.hide(true), () => it.hide(false), () => it.learn({ type: "track", track: pick(["muted", "ended"]) }), () => it.permit(pick(["prompt", "granted"]))])();
      await it.pass(random() * 20_000);
      if (i % 10 !== 9) continue;
      it.hide(false);
      const before = it.asked.length;
      await it.pass(MOST + GAP);
      assert.ok(it.asked.length > before, `SEED=${begun}, step ${i}: ${JSON.stringify(it.phase)}`);
    }
  }));

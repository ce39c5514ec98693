import assert from "node:assert/strict";
import { test } from "node:test";
import { BEGIN, STEPS, adapt, begin, caps } from "../../../static/js/rtc/adapt.js";

const GOOD = { fresh: true, kbits: 400, frames: 24, available: 5000, loss: 0, limited: "none" };

/** A network, one reading a second; returns the steps gone through. */
const through = (readings, preference = "balanced", state = begin(0)) => {
  const steps = [];
  for (const [second, read] of readings.entries()) {
    state = adapt(state, { ...GOOD, ...read, at: (second + 1) * 1000 }, preference);
    steps.push(state.step);
  }
  return { state, steps };
};
const seconds = (count, read = {}) => Array.from({ length: count }, () => read);

test("caps go down together, and each step's cap shows the next one", () => {
  for (const steps of Object.values(STEPS)) {
    for (const [at, step] of steps.entries()) {
      const above = steps[at - 1];
      if (!above) continue;
      assert.ok(step.kbits < above.kbits && step.long <= above.long && step.rate <= above.rate && step.need < above.need);
      assert.ok(above.need * 1.25 <= step.kbits * 1.5 + 10, `${JSON.stringify(above)} cannot be seen from ${JSON.stringify(step)}`);
      assert.ok(above.need * 1.25 > step.need);
    }
    assert.equal(steps.at(-1).need, 0, "the last step is never given up");
  }
});

test("a good network climbs to the top within seconds and stays there", () => {
  const { steps } = through(seconds(12));
  assert.equal(steps.at(-1), 0);
  assert.ok(steps.indexOf(0) < 6);
});

test("one bad reading changes nothing, two go straight to what the network bears; a collapse is not waited for", () => {
  const top = begin(0, 0);
  assert.deepEqual(through([{ available: 400 }, {}, {}], "balanced", top).steps, [0, 0, 0]);
  assert.deepEqual(through([{ available: 400 }, { available: 400 }], "balanced", top).steps, [0, 2]);
  assert.deepEqual(through([{ available: 120 }], "balanced", top).steps, [3]);
  assert.deepEqual(through([{ available: 40 }], "balanced", top).steps, [5]);
});

test("it comes back up by itself", () => {
  const low = through(seconds(3, { available: 40 })).state;
  assert.equal(low.step, 5);
  const { steps } = through(seconds(20, { kbits: 60 }), "balanced", { ...low, since: 0 });
  assert.equal(steps.at(-1), 0);
});

test("an attempt that fails is tried again later and later", () => {
  let state = begin(0, 3);
  const climbs = [];
  for (let second = 1; second <= 120; second += 1) {
    const available = state.step < 3 ? 180 : 300;
    const before = state.step;
    state = adapt(state, { ...GOOD, kbits: 250, frames: 15, available, at: second * 1000 });
    if (state.step < before) climbs.push(second);
  }
  const pauses = climbs.slice(1).map((at, index) => at - climbs[index]);
  assert.ok(climbs.length <= 6, `${climbs}`);
  assert.ok(pauses.every((pause, index) => index === 0 || pause >= pauses[index - 1]), `${pauses}`);
});

test("a scene that does not move fills nothing: larger is tried all the same", () => {
  const still = { available: 70, kbits: 15, frames: 8 };
  const { steps } = through(seconds(10, still), "balanced", begin(0, 5));
  assert.equal(steps.at(-1), 4);
});

test("nothing larger is tried on a lossy network or a tired processor", () => {
  assert.equal(through(seconds(30, { loss: 0.08 })).steps.at(-1), BEGIN);
  assert.equal(through(seconds(30, { limited: "cpu" })).steps.at(-1), BEGIN);
});

test("without an estimate the loss decides", () => {
  assert.equal(through(seconds(2, { available: null, loss: 0.4 })).steps.at(-1), BEGIN + 1);
  assert.equal(through(seconds(6, { available: null })).steps.at(-1), 0);
});

test("what the encoder is told depends on what the camera gives and on the preference", () => {
  assert.deepEqual(caps(begin(0, 0), { width: 1280, height: 720 }), { maxBitrate: 1_500_000, maxFramerate: 30, scaleResolutionDownBy: 1 });
  assert.equal(caps(begin(0, 2), { width: 720, height: 1280 }).scaleResolutionDownBy, 2);
  assert.equal(caps(begin(0, 2), { width: 320, height: 240 }).scaleResolutionDownBy, 1);
  assert.equal(caps(begin(0, 5), null).scaleResolutionDownBy, 5.33);
  assert.ok(caps(begin(0, 3), null, "detail").maxFramerate < caps(begin(0, 3), null, "motion").maxFramerate);
  assert.ok(caps(begin(0, 3), null, "detail").scaleResolutionDownBy < caps(begin(0, 3), null, "motion").scaleResolutionDownBy);
});

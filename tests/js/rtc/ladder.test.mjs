import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ACK_FLOOR, GOOD_FOR, LOST_AFTER, NOTHING, PACE, REMEMBERED, SIZES, SLOW_AFTER, TOP, TRY, TRY_FIRST, TRY_MOST,
  climb, films, hear, heed, pace, resize, serverTime,
} from "../../../static/js/rtc/ladder.js";

const GOOD = { wanted: true, socket: true, connected: 1, fps: 25, kbit: 900, loss: 0, waits: 0, acks: [] };
const POOR = { ...GOOD, fps: 1, kbit: 20 };
const LOST = { ...GOOD, connected: 0, fps: null, kbit: null, loss: null };
const MUTE = { ...LOST, socket: false };

/** Live through so many seconds of the same; returns the ladder and the seconds at which the rung changed. */
function live(from, sample, seconds, at = { now: 0 }) {
  let ladder = from;
  const steps = [];
  for (let second = 0; second < seconds; second += 1) {
    at.now += 1000;
    const before = ladder.rung;
    ladder = climb(ladder, { ...sample, now: at.now });
    if (ladder.rung !== before) steps.push([ladder.rung, ladder.why, at.now]);
  }
  return { ladder, steps, at };
}

test("a good picture stays one", () => {
  const { ladder, steps } = live(TOP, GOOD, 600);
  assert.deepEqual(steps, []);
  assert.ok(films(ladder));
  assert.equal(pace(ladder), null);
});

test("few frames in the dark, or on a slow phone, are not the network's", () => {
  assert.deepEqual(live(TOP, { ...GOOD, fps: null }, 60).steps, []);
  const slow = live(TOP, POOR, 6);
  assert.equal(live(slow.ladder, { ...GOOD, fps: null }, 20, slow.at).ladder.rung, "video");
});

test("a dip shorter than the patience changes nothing", () => {
  let { ladder, at } = live(TOP, GOOD, 10);
  for (let turn = 0; turn < 20; turn += 1) {
    ({ ladder } = live(ladder, POOR, SLOW_AFTER / 1000 - 1, at));
    ({ ladder } = live(ladder, GOOD, 1, at));
    ({ ladder } = live(ladder, LOST, LOST_AFTER / 1000 - 1, at));
    ({ ladder } = live(ladder, GOOD, 1, at));
  }
  assert.equal(ladder.rung, "video");
});

test("no connection for eight seconds, or five poor ones, are stills, and the encoder leaves the uplink alone", () => {
  assert.deepEqual(live(TOP, LOST, 20).steps, [["stills", "lost", 1000 + LOST_AFTER]]);
  for (const worse of [{ fps: 2 }, { kbit: 39 }, { loss: 0.31 }]) {
    const { ladder, steps } = live(TOP, { ...GOOD, ...worse }, 8);
    assert.deepEqual(steps, [["stills", "slow", 1000 + SLOW_AFTER]]);
    assert.ok(!films(ladder));
    assert.equal(pace(ladder), PACE.stills);
  }
  assert.deepEqual(live(TOP, { ...GOOD, fps: null, kbit: null, loss: null }, 60).steps, [], "what is not known is not poor");
});

test("what the caller's hand did is not the network's fault", () => {
  const { ladder, at } = live(TOP, { ...LOST, wanted: false }, 60);
  assert.equal(ladder.rung, "video");
  assert.equal(live(ladder, LOST, LOST_AFTER / 1000 - 1, at).ladder.rung, "video", "the time begins when the page is back");
});

test("a connection that comes back is the video again, after three good seconds", () => {
  const lost = live(TOP, LOST, 60);
  assert.ok(films(lost.ladder), "without a connection the video costs nothing");
  const { ladder, steps } = live(lost.ladder, GOOD, 10, lost.at);
  assert.deepEqual(steps, [["video", "recovered", 61_000 + GOOD_FOR]]);
  assert.ok(films(ladder));
});

test("the video is tried in the background, less and less often", () => {
  const slow = live(TOP, POOR, 6);
  let { ladder } = slow;
  const tries = [];
  for (let second = 0; second < 300; second += 1) {
    const before = ladder.trying;
    ({ ladder } = live(ladder, POOR, 1, slow.at));
    if (ladder.trying && !before) tries.push(slow.at.now);
    if (ladder.trying && ladder.tried !== null) assert.equal(pace(ladder), PACE.try, "stills make room for it");
  }
  assert.equal(ladder.rung, "stills");
  const pauses = tries.slice(1).map((at, index) => at - tries[index]);
  assert.equal(tries[0], 6000 + TRY_FIRST);
  assert.ok(pauses.every((ms, index) => index === 0 || ms >= pauses[index - 1]), String(pauses));
  assert.ok(pauses.at(-1) >= TRY_MOST && pauses.at(-1) <= TRY_MOST + TRY + 2000, String(pauses));
});

test("a try that is good is the video; one that fails soon after waits longer", () => {
  const slow = live(TOP, POOR, 6);
  const back = live(slow.ladder, GOOD, 20, slow.at);
  assert.equal(back.ladder.rung, "video");
  const failed = live(live(back.ladder, POOR, 6, slow.at).ladder, POOR, 20, slow.at);
  assert.equal(failed.ladder.rung, "stills");
  assert.ok(failed.ladder.wait > TRY_FIRST);
  const steady = live(live(failed.ladder, GOOD, 60, slow.at).ladder, GOOD, 90, slow.at);
  assert.equal(steady.ladder.rung, "video");
  assert.equal(steady.ladder.wait, TRY_FIRST, "a steady minute forgets");
});

test("stills that do not arrive ask for one photo, and come back with two that do", () => {
  const { ladder, at } = live(TOP, POOR, 6);
  const photo = live(ladder, { ...POOR, waits: ACK_FLOOR + 1 }, 1, at);
  assert.deepEqual(photo.steps.map(([rung, why]) => [rung, why]), [["photo", "stills_slow"]]);
  assert.equal(pace(photo.ladder), PACE.photo);
  assert.ok(!films(photo.ladder));
  const once = live(photo.ladder, { ...POOR, acks: [900] }, 1, at);
  const slow = live(once.ladder, { ...POOR, acks: [8000] }, 1, at);
  assert.equal(live(slow.ladder, { ...POOR, acks: [900] }, 1, at).ladder.rung, "photo", "two in a row");
  assert.equal(live(slow.ladder, { ...POOR, acks: [900, 800] }, 1, at).ladder.rung, "stills");
});

test("with neither socket nor connection one photo is asked for, to be sent later; before, the video is tried", () => {
  const { ladder, steps } = live(TOP, MUTE, 60);
  assert.deepEqual(steps.map(([rung]) => rung), ["stills", "photo"]);
  assert.ok(steps[1][2] - steps[0][2] >= NOTHING - 1000);
  const slow = live(TOP, POOR, 6);
  const silent = live(slow.ladder, { ...POOR, socket: false }, 2, slow.at).ladder;
  assert.ok(films(silent), "without a socket the video is all there is");
  assert.equal(ladder.rung, "photo");
});

test("the desk asks for stills and takes that back", () => {
  const asked = heed(TOP, "stills", 5000);
  assert.deepEqual([asked.rung, asked.why], ["stills", "asked"]);
  const long = live(asked, GOOD, 120, { now: 5000 });
  assert.equal(long.ladder.rung, "stills", "it stays so");
  assert.ok(!films(long.ladder));
  const free = live(heed(long.ladder, "auto", long.at.now), GOOD, 10, long.at);
  assert.equal(free.ladder.rung, "video");
  const slow = live(live(TOP, POOR, 6).ladder, POOR, 3, { now: 6000 });
  assert.ok(!slow.ladder.trying, "the network's stills wait before a try");
  const urged = live(heed(slow.ladder, "auto", slow.at.now), POOR, 1, slow.at);
  assert.ok(urged.ladder.trying, "asked for, the video is tried at once");
  assert.ok(heed(heed(urged.ladder, "stills", urged.at.now), "auto", urged.at.now).trying, "a change of mind within the second");
  assert.equal(heed(heed(urged.ladder, "stills", urged.at.now), "auto", urged.at.now).forced, false);
  assert.deepEqual(heed(TOP, "photo", 1).rung, "video", "a photo is asked for beside the picture");
});

test("no life leaves the ladder without a way up", () => {
  const kinds = [GOOD, POOR, LOST, MUTE, { ...GOOD, wanted: false }, { ...POOR, waits: 11_000 }, { ...POOR, acks: [500] }];
  let seed = 7;
  const random = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
  for (let round = 0; round < 300; round += 1) {
    let state = { ladder: TOP, at: { now: 0 } };
    for (let turn = 0; turn < 8; turn += 1) {
      state = live(state.ladder, kinds[Math.floor(random() * kinds.length)], 1 + Math.floor(random() * 30), state.at);
    }
    const { ladder } = live(state.ladder, { ...GOOD, acks: [400] }, 90, state.at);
    assert.equal(ladder.rung, "video", JSON.stringify(state.ladder));
  }
});

test("the size of a still follows the network, within its bounds", () => {
  let measure = { size: 2, early: 0 };
  for (let i = 0; i < 50; i += 1) measure = resize(measure, 5000);
  assert.equal(measure.size, 0);
  for (let i = 0; i < 50; i += 1) measure = resize(measure, 100);
  assert.equal(measure.size, SIZES.length - 1);
  assert.equal(resize({ size: 3, early: 2 }, 800).size, 3, "neither late nor early");
  assert.equal(resize({ size: 3, early: 0 }, 1200).size, 2);
  assert.equal(resize({ size: 3, early: 0 }, 4000).size, 1);
});

test("the server's clock is never thought ahead of itself, and what was heard long ago is forgotten", () => {
  assert.equal(serverTime([], 5), null);
  let ticks = [];
  for (const [at, late] of [[1000, 300], [6000, 40], [11_000, 2500]]) ticks = hear(ticks, 1_000_000 + at - late, at);
  assert.equal(serverTime(ticks, 12_000), 1_012_000 - 40);
  ticks = hear(ticks, 900_000 + 6000 + REMEMBERED, 6000 + REMEMBERED);
  assert.ok(serverTime(ticks, 0) < 1_000_000 - 40, "a clock that was set back counts after a minute");
  assert.deepEqual(hear(ticks, Number.NaN, 1), ticks);
});

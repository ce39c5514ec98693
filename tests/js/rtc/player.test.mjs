import assert from "node:assert/strict";
import { test } from "node:test";

/** A video whose browser refuses to play it until it is told otherwise. */
class Video extends EventTarget {
  srcObject = {};
  paused = true;
  allowed = false;
  error = "NotAllowedError";
  play() {
    if (!this.allowed) return Promise.reject(Object.assign(new Error("no"), { name: this.error }));
    this.paused = false;
    this.dispatchEvent(new Event("playing"));
    return Promise.resolve();
  }
}
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
const { Player } = await import("../../../static/js/rtc/player.js");
const settled = () => new Promise((resolve) => setImmediate(resolve));

for (const gesture of ["pointerdown", "pointerup", "keydown", "click", "visibilitychange"]) {
  test(`what a browser holds back is told, and plays at a ${gesture} anywhere`, async () => {
    const video = new Video();
    const told = [];
    const player = new Player(video, (held) => told.push(held));
    player.play();
    await settled();
    assert.deepEqual(told, [true]);
    page.dispatchEvent(new Event(gesture));
    await settled();
    assert.equal(player.held, true, "this gesture did not count");
    video.allowed = true;
    page.dispatchEvent(new Event(gesture));
    await settled();
    assert.deepEqual(told, [true, false]);
    assert.equal(video.paused, false);
  });
}

test("a picture that was changed meanwhile is not held", async () => {
  const video = Object.assign(new Video(), { error: "AbortError" });
  const player = new Player(video);
  player.play();
  await settled();
  assert.equal(player.held, false);
});

test("a pause that nobody asked for is undone, or told", async () => {
  const video = new Video();
  const player = new Player(video);
  video.dispatchEvent(new Event("pause"));
  await settled();
  assert.equal(player.held, true);
  video.srcObject = null;
  player.rest();
  assert.equal(player.held, false);
});

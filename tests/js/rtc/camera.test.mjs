import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { Camera } from "../../../static/js/rtc/camera.js";

/** A browser that remembers: what was lost once under a name stays so under that name. */
const REMEMBERS = String.raw`export async function resolve(name, context, next) {
  if (name === "./lens_switch.js") throw new TypeError("Failed to fetch");
  return next(name.replace(/^([.][.]\/)[.][.]\/js-[0-9]+\//, "$1") + (name.startsWith("../../js-") ? "?again" : ""), context);
}`;

test("the part that knows of lenses was lost: no press hangs, and the next one asks for it under another name", async () => {
  register(`data:text/javascript,${encodeURIComponent(REMEMBERS)}`);
  let counted = 0;
  const mediaDevices = {
    getUserMedia: () => Promise.reject(new DOMException("", "NotFoundError")),
    enumerateDevices: async () => {
      counted += 1;
      return [];
    },
  };
  Object.defineProperty(globalThis, "navigator", { value: { mediaDevices }, configurable: true });
  const camera = new Camera({ onTrack: () => undefined, onState: () => undefined });
  camera.stream = { getVideoTracks: () => [], getTracks: () => [] };
  assert.equal(await camera.turn(), "environment");
  assert.equal(counted, 0);
  await camera.turn();
  assert.equal(counted, 1);
});

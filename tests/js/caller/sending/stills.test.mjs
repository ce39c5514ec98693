import assert from "node:assert/strict";
import { test } from "node:test";
import { Stills } from "../../../../static/js/caller/sending/stills.js";
import { replaced } from "../../globals.mjs";

test("no still of a camera that is off: its last frame stays in the preview, and is the past", async () => {
  let look = () => undefined;
  const canvas = { getContext: () => null, toBlob: (done) => done(new Blob(["jpeg"])) };
  class MediaStream {
    active = true;
  }
  const globals = { document: { createElement: () => canvas }, setInterval: (run) => (look = run), MediaStream };
  const done = replaced(globals);
  try {
    const video = { readyState: 4, videoWidth: 640, videoHeight: 360, srcObject: new MediaStream() };
    let sent = 0;
    const ship = () => {
      sent += 1;
      return true;
    };
    const looked = async () => {
      look();
      for (let i = 0; i < 10; i += 1) await new Promise(setImmediate);
    };
    const stills = new Stills(video, { ship, time: () => 1_000 });
    stills.run(0);
    await looked();
    assert.equal(sent, 1);
    stills.acknowledged(1, 0);
    assert.equal(stills.seen, false, "no desk had it");
    await looked();
    assert.equal(sent, 2);
    stills.acknowledged(2, 1);
    assert.equal(stills.seen, true);
    video.srcObject.active = false;
    await looked();
    assert.equal(sent, 2);
    video.srcObject = new MediaStream();
    await looked();
    assert.equal(sent, 3);
  } finally {
    done();
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";

globalThis.document = { getElementById: () => ({ dataset: { picture: "flowing" } }) };
const { Report, steps } = await import("../../../../static/js/desk/session/report.js");

const SESSION = {
  id: "s1",
  state: "live",
  number: "06 12 34 56 78",
  link: { call: "c1" },
  invitations: [{ to: "06 12 34 56 78" }],
  say: { text: "Dites-lui…", cause: "réseau lent" },
  steps: [
    { key: "accepted", label: "x", state: "done", at: "t", seconds: 0.4 },
    { key: "tapped", label: "x", state: "current", at: null, seconds: null },
    { key: "image", label: "x", state: "todo", at: null, seconds: null },
  ],
};

test("steps are keys, states and seconds", () => {
  assert.equal(steps(SESSION.steps), "accepted done 0 s, tapped current");
  assert.equal(steps([]), "");
});

test("without a session there is nothing to say", () => {
  assert.deepEqual(new Report().context(), {});
});

test("what is told is technical: no number, and only this session's camera", () => {
  const report = new Report();
  report.session = SESSION;
  report.heard({ type: "caller.state", session: "other", state: "hidden" });
  assert.equal(report.context().camera, undefined);
  report.heard({ type: "caller.state", session: "s1", state: "muted" });
  const told = report.context();
  assert.deepEqual(told, { steps: "live : accepted done 0 s, tapped current", cause: "réseau lent", image: "flowing", camera: "muted" });
  assert.ok(!JSON.stringify(told).includes("06 12"));
  globalThis.__visio15 = { quality: () => "320x240 12 i/s" };
  assert.equal(report.context().quality, "320x240 12 i/s");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERY, HANGING, SERVER, SLOW, UNTRIED, advice, answered, asks, learn, standing } from "../../../static/js/watching/line.js";

/** A network, lived through in steps of a quarter of a second: what the socket does after a while, what a page answers.
 * The socket is tried again as the page does: half a second after a refusal, at once when a page came. */
function lived(seconds, { socket, page }) {
  let line = UNTRIED;
  let tried = 0;
  let again = null;
  const said = [];
  const begin = (at) => {
    line = learn(line, { type: "socket", at, state: "connecting" });
    tried = at;
    again = null;
  };
  begin(0);
  for (let at = 0; at <= seconds * 1000; at += 250) {
    const { state, after } = socket(at);
    if (again !== null && at >= again) begin(at);
    if (again === null && at - tried >= after) {
      if (state === "waiting") {
        line = learn(line, { type: "socket", at, state });
        again = at + 500;
      } else if (state !== "connecting" && line.socket !== "open") {
        line = learn(line, { type: "socket", at, state: "open" });
        if (state === "open") line = learn(line, { type: "heard" });
      }
    }
    if (asks(line, at)) {
      line = learn(line, { type: "asked", at });
      line = learn(line, { type: "answer", at, answer: page(at) });
      if (line.answer === "passed" && line.socket === "waiting") again = at;
    }
    said.push(standing(line, at));
  }
  return said;
}
const always = (state, after = 0) => () => ({ state, after });

test("a socket that opens and speaks is open, and no page is asked for", () => {
  const said = lived(10, { socket: always("open"), page: () => assert.fail("asked") });
  assert.deepEqual(new Set(said), new Set(["open"]));
});

for (const [what, socket] of [["refused", always("waiting")], ["hanging", always("connecting")], ["swallowing", always("silent")]]) {
  test(`a ${what} socket beside pages that come is blocked, within five seconds`, () => {
    const said = lived(5, { socket, page: () => "passed" });
    assert.equal(said.at(-1), "blocked");
    assert.ok(!said.includes("away") && !said.includes("offline"));
  });
}

test("a server that does not answer is away, a PC without a network is offline", () => {
  assert.equal(lived(5, { socket: always("waiting"), page: () => "away" }).at(-1), "away");
  assert.equal(lived(5, { socket: always("connecting"), page: () => "away" }).at(-1), "away");
  assert.equal(lived(5, { socket: always("waiting"), page: () => "offline" }).at(-1), "offline");
});

test("a server that comes back is never said to be blocked", () => {
  const back = 7_300;
  const said = lived(12, { socket: (at) => (at < back ? { state: "waiting", after: 0 } : { state: "open", after: 250 }), page: (at) => (at < back ? "away" : "passed") });
  assert.ok(!said.includes("blocked"), said.join(" "));
  assert.equal(said.at(-1), "open");
});

test("a network that lets the socket through at last is believed at once", () => {
  const said = lived(12, { socket: (at) => (at < 8_000 ? { state: "waiting", after: 0 } : { state: "open", after: 0 }), page: () => "passed" });
  assert.ok(said.includes("blocked"));
  assert.equal(said.at(-1), "open");
});

test("a sign-in that is over is nothing of the network", () => {
  assert.equal(lived(5, { socket: always("waiting"), page: () => "refused" }).at(-1), "lost");
  assert.equal(advice("lost"), "");
});

test("a socket cut once, and pages that come: not blocked before another was tried", () => {
  let line = learn(learn(UNTRIED, { type: "socket", at: 0, state: "open" }), { type: "heard" });
  line = learn(line, { type: "socket", at: 60_000, state: "waiting" });
  assert.ok(asks(line, 60_000));
  line = learn(line, { type: "answer", at: 60_010, answer: "passed" });
  assert.equal(standing(line, 60_020), "lost");
  line = learn(line, { type: "socket", at: 60_020, state: "connecting" });
  assert.equal(standing(line, 60_030), "connecting");
  assert.ok(SLOW + HANGING < 4_500);
});

test("a socket that was begun before pages came proves nothing", () => {
  let line = learn(UNTRIED, { type: "socket", at: 0, state: "connecting" });
  line = learn(line, { type: "answer", at: SLOW, answer: "passed" });
  line = learn(line, { type: "socket", at: SLOW + 100, state: "waiting" });
  assert.equal(standing(line, SLOW + 100), "lost");
});

test("without an answer of any page nothing is said to be blocked", () => {
  assert.equal(standing(learn(UNTRIED, { type: "socket", at: 0, state: "connecting" }), 60_000), "connecting");
});

test("a word of the server takes back what was thought, and an answer that comes after it is old", () => {
  let line = learn(UNTRIED, { type: "socket", at: 0, state: "connecting" });
  line = learn(line, { type: "answer", at: SLOW, answer: "passed" });
  assert.equal(standing(line, SLOW + HANGING), "blocked");
  for (const state of ["waiting", "connecting", "waiting"]) line = learn(line, { type: "socket", at: 4_000, state });
  line = learn(learn(line, { type: "socket", at: 5_000, state: "open" }), { type: "heard" });
  line = learn(line, { type: "answer", at: 5_100, answer: "away" });
  line = learn(line, { type: "socket", at: 60_000, state: "waiting" });
  assert.equal(standing(line, 60_000), "lost");
});

test("a page is asked for when the socket is late, and not again at once", () => {
  const line = learn(UNTRIED, { type: "socket", at: 0, state: "connecting" });
  assert.equal(asks(line, SLOW - 1), false);
  assert.equal(asks(line, SLOW), true);
  const asked = learn(line, { type: "asked", at: SLOW });
  assert.equal(asks(asked, SLOW + EVERY - 1), false);
  assert.equal(asks(asked, SLOW + EVERY), true);
});

test("what an answer means, and what to do", () => {
  assert.equal(answered(200, true), "passed");
  assert.equal(answered(404, true), "passed");
  assert.equal(answered(401, true), "refused");
  assert.equal(answered(502, true), "away");
  assert.equal(answered(0, true), "away");
  assert.equal(answered(0, false), "offline");
  assert.match(advice("blocked"), /WebSocket.*prévenez l’informatique/);
  assert.match(advice("offline"), /réseau/);
  assert.equal(advice("away"), "");
  assert.equal(SERVER.away, "serveur injoignable");
});

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { Detour, PROBE, Polling } from "../../../static/js/lib/polling.js";
import { BACKOFF, PATIENCE, Socket } from "../../../static/js/lib/socket.js";
import { FakeClock } from "../fake_clock.mjs";

globalThis.crypto ??= webcrypto; // as every browser has it, and Node.js from 19 on

class FakeWire {
  readyState = 0;
  sent = [];
  constructor(kind, at) {
    this.kind = kind;
    this.at = at;
    this.polled = kind === "requests";
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  up() {
    this.readyState = 1;
    this.onopen?.({});
  }
  say(message) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  down(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
}

/** A phone whose detour is loaded as soon as it is asked for. */
function stage() {
  const clock = new FakeClock();
  const wires = [];
  const states = [];
  const make = (kind) => () => {
    const wire = new FakeWire(kind, clock.at);
    wires.push(wire);
    return wire;
  };
  const socket = new Socket({
    url: "ws://desk/ws/caller",
    hello: () => ({ type: "hello", page: "p1" }),
    onMessage: () => undefined,
    onState: (state, code, reason) => states.push([state, code, reason]),
    onLate: () => {
      socket.detour = new Detour(socket, { socket: make("socket"), requests: make("requests") });
      socket.detour.late();
    },
    open: make("socket"),
    fatal: [4404, 4409],
    clock,
    random: () => 0,
  });
  socket.start();
  const of = (kind) => wires.filter((wire) => wire.kind === kind);
  return { clock, wires, states, socket, of, last: (kind) => of(kind).at(-1), detour: () => socket.detour };
}

const types = (wire) => wire.sent.map((message) => message.type);

test("a socket that hangs is passed by after two seconds, as soon as requests are answered", () => {
  const { clock, socket, of, last } = stage();
  clock.pass(PATIENCE - 1);
  assert.equal(of("requests").length, 0);
  clock.pass(1);
  socket.send({ type: "camera", state: "granted" });
  assert.equal(socket.state, "connecting");
  last("requests").up();
  assert.deepEqual(types(last("requests")), ["hello", "camera"]);
  last("requests").say({ type: "welcome" });
  assert.ok(socket.answered);
  assert.equal(socket.took, false, "the socket was tried in vain");
});

test("a line by requests is given its time to answer", () => {
  const { clock, socket, of, last } = stage();
  clock.pass(PATIENCE + 1_000);
  last("requests").up();
  clock.pass(PATIENCE - 1);
  last("requests").say({ type: "welcome" });
  last("requests").down();
  clock.pass(BACKOFF.first);
  assert.equal(socket.wire.kind, "requests");
  assert.equal(of("socket").length, 1);
});

test("a socket that is refused twice is passed by at once", () => {
  const { clock, of, last } = stage();
  last("socket").down();
  clock.pass(BACKOFF.first);
  last("socket").down();
  assert.equal(of("requests").length, 1);
  assert.ok(clock.at < PATIENCE);
});

test("a socket that opens and swallows everything loses nothing of what was said to it", () => {
  const { clock, socket, last } = stage();
  last("socket").up();
  socket.send({ type: "camera", state: "denied" });
  last("socket").say({ type: "tick" }); // down it may come through
  clock.pass(PATIENCE);
  last("requests").up();
  assert.deepEqual(types(last("requests")), ["hello", "camera"]);
  last("requests").say({ type: "welcome" });
  socket.send({ type: "facing", facing: "user" });
  last("requests").down();
  clock.pass(BACKOFF.first);
  last("requests").up();
  assert.deepEqual(types(last("requests")), ["hello"], "what was answered is not said again");
});

test("the usual way is never slowed: an answered socket loads and opens nothing", () => {
  const { clock, last, of, detour } = stage();
  last("socket").up();
  last("socket").say({ type: "welcome" });
  for (let tick = 0; tick < 20; tick += 1) {
    clock.pass(5_000);
    last("socket").say({ type: "tick" });
  }
  assert.equal(detour(), null);
  assert.equal(of("requests").length, 0);
});

test("a server that is away for a moment is met again by the socket", () => {
  const { clock, last, of, socket } = stage();
  last("socket").up();
  last("socket").say({ type: "welcome" });
  last("socket").down();
  for (let turn = 0; turn < 4; turn += 1) {
    clock.pass(BACKOFF.most);
    last("socket").down();
    last("requests")?.down(); // requests fail as well
  }
  clock.pass(BACKOFF.most);
  last("socket").up();
  last("socket").say({ type: "welcome" });
  of("requests").forEach((wire) => wire.up());
  assert.ok(socket.answered);
  assert.equal(socket.wire.kind, "socket");
});

test("a phone without any network for long asks no more often than at first", () => {
  const { clock, last, socket, of } = stage();
  let draws = 0;
  socket.random = () => (0.618 * (draws += 1)) % 1;
  const asked = [];
  for (let minute = 0; minute < 5; minute += 1) {
    const before = of("requests").length;
    for (let tick = 0; tick < 6_000; tick += 1) {
      clock.pass(10);
      for (const kind of ["socket", "requests"]) if (last(kind)?.readyState === 0) last(kind).down();
    }
    asked.push(of("requests").length - before);
  }
  assert.ok(Math.max(...asked) <= 60, `requests each minute: ${asked}`);
});

/** Let time pass while the line by requests lives. */
function live(clock, wire, ms) {
  for (let left = ms; left > 0; left -= 5_000) {
    clock.pass(Math.min(5_000, left));
    wire.say({ type: "tick" });
  }
}

test("the socket is tried now and then, less and less, and taken back once it has said something", () => {
  const { clock, last, of, socket } = stage();
  clock.pass(PATIENCE);
  const requests = last("requests");
  requests.up();
  requests.say({ type: "welcome" });
  for (const wait of [1, 2, 4, 8].map((times) => times * PROBE.first)) {
    const before = of("socket").length;
    live(clock, requests, wait - 1);
    assert.equal(of("socket").length, before);
    clock.pass(1);
    assert.equal(of("socket").length, before + 1);
    last("socket").up(); // it opens, and nothing comes through
    clock.pass(PROBE.patience);
    assert.equal(last("socket").readyState, 3);
    assert.equal(socket.wire, requests);
  }
  live(clock, requests, 16 * PROBE.first);
  last("socket").up();
  last("socket").say({ type: "tick" });
  assert.equal(socket.wire, last("socket"));
  assert.deepEqual(types(last("socket")), ["hello"]);
  assert.equal(requests.readyState, 3);
});

test("a trial socket that hangs is let go when the way changes: it would keep the next one waiting", () => {
  const { clock, last, socket } = stage();
  clock.pass(PATIENCE);
  last("requests").up();
  last("requests").say({ type: "welcome" });
  clock.pass(PROBE.first);
  const trial = last("socket");
  socket.detour.reset();
  socket.renew();
  assert.equal(trial.readyState, 3);
  assert.notEqual(last("socket"), trial);
});

test("a network that is another one begins with the socket again", () => {
  const { clock, last, of, socket, detour } = stage();
  clock.pass(PATIENCE);
  last("requests").up();
  last("requests").say({ type: "welcome" });
  const before = of("socket").length;
  detour().reset();
  socket.renew();
  assert.equal(of("socket").length, before + 1);
  assert.equal(socket.wire.kind, "socket");
});

test("requests that fail go on as requests, and give the socket its turn", () => {
  const { clock, last, socket, of } = stage();
  clock.pass(PATIENCE);
  last("requests").up();
  last("requests").say({ type: "welcome" });
  last("requests").down();
  clock.pass(BACKOFF.first);
  assert.equal(socket.wire.kind, "requests");
  last("requests").down();
  const before = of("socket").length;
  clock.pass(BACKOFF.most);
  assert.equal(of("socket").length, before + 1);
  assert.equal(socket.wire.kind, "socket");
});

test("requests that did not come up are tried again beside a socket that goes on hanging", () => {
  const { clock, last, of, socket } = stage();
  clock.pass(PATIENCE);
  last("requests").down();
  clock.pass(PROBE.patience);
  assert.equal(of("requests").length, 2);
  last("requests").up();
  assert.equal(socket.wire, last("requests"));
});

test("the phone is on another network while requests are tried: they are of the former one", () => {
  const { clock, last, socket, detour } = stage();
  clock.pass(PATIENCE);
  const trial = last("requests");
  detour().reset();
  assert.equal(trial.readyState, 3);
  trial.up();
  assert.equal(socket.wire.kind, "socket");
});

test("when all is over nothing is tried, and what comes up late is let go", () => {
  const early = stage();
  early.clock.pass(PATIENCE);
  early.socket.stop();
  early.last("requests").up();
  assert.equal(early.last("requests").readyState, 3);
  for (const probing of [false, true]) {
    const { clock, last, of, socket } = stage();
    clock.pass(PATIENCE);
    last("requests").up();
    last("requests").say({ type: "welcome" });
    if (probing) clock.pass(PROBE.first);
    socket.stop();
    const before = of("socket").length;
    if (probing) {
      last("socket").say({ type: "tick" });
      assert.equal(last("socket").readyState, 3);
    }
    clock.pass(PROBE.most);
    assert.equal(of("socket").length, before);
    assert.equal(socket.state, "stopped");
  }
});

test("a link that is refused by requests is refused for good", () => {
  const { clock, last, states } = stage();
  clock.pass(PATIENCE);
  last("requests").down(4409, "open_elsewhere");
  assert.equal(last("requests").readyState, 0);
  last("requests").down(4409, "open_elsewhere");
  assert.deepEqual(states.at(-1), ["stopped", 4409, "open_elsewhere"]);
});

test("what requests take to come up is never told as the socket's time", () => {
  const { clock, last, socket } = stage();
  clock.pass(PATIENCE);
  last("requests").down(4409, "open_elsewhere");
  last("requests").up();
  assert.equal(typeof socket.took, "object");
});

/* ---------------------------------------------------------------- the requests themselves */

/** A server that answers when told to. */
class Server {
  asked = [];
  over = false;
  ask = (url, body, headers, signal) =>
    new Promise((resolve, reject) => {
      if (this.over) {
        resolve({ status: 404, json: async () => ({}) });
        return;
      }
      const one = { url, headers, body: typeof body === "string" ? JSON.parse(body) : body, done: false };
      one.answer = (value, status = 200) => {
        one.done = true;
        resolve({ status, json: async () => value });
      };
      one.fail = () => {
        one.done = true;
        reject(new TypeError("network"));
      };
      signal.addEventListener("abort", one.fail);
      this.asked.push(one);
    });
  /** Nothing is asked any more. */
  end() {
    this.over = true;
    for (const one of this.asked) if (!one.done) one.answer({}, 404);
  }
  async next(path) {
    for (let turn = 0; turn < 2_000; turn += 1) {
      const found = this.asked.find((one) => !one.done && one.url.endsWith(path));
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    throw new Error(`nobody asked for ${path}`);
  }
}

async function opened(t) {
  const server = new Server();
  t.after(() => server.end());
  const wire = new Polling("/v/T/wire", server.ask);
  const heard = [];
  const closed = [];
  wire.onmessage = ({ data }) => heard.push(data);
  wire.onclose = ({ code, reason }) => closed.push([code, reason]);
  (await server.next("/wire")).answer({ wire: "W" });
  await server.next("/W/down");
  return { server, wire, heard, closed };
}

test("frames go up in order, several at once, and once each though answers are lost", async (t) => {
  const { server, wire } = await opened(t);
  wire.send("a");
  wire.send("b");
  const first = await server.next("/W/up");
  assert.deepEqual(first.body, { first: 0, frames: ["a", "b"], close: false });
  wire.send("c");
  first.fail();
  const again = await server.next("/W/up");
  assert.deepEqual(again.body.frames, ["a", "b", "c"]);
  again.answer({ taken: 3 });
  wire.send(new Uint8Array([1, 2]));
  wire.send("d");
  const bytes = await server.next("/W/up");
  assert.equal(bytes.headers["X-Visio15-Frame"], "3");
  assert.equal(wire.bufferedAmount, 2);
  bytes.answer({ taken: 4 });
  const last = await server.next("/W/up");
  assert.deepEqual(last.body, { first: 4, frames: ["d"], close: false });
  last.answer({ taken: 5 });
  wire.close();
  assert.deepEqual((await server.next("/W/up")).body, { first: 5, frames: [], close: true });
});

test("frames come down once each though answers are lost or given again", async (t) => {
  const { server, wire, heard } = await opened(t);
  (await server.next("/W/down")).answer({ first: 0, frames: ["x", "y"] });
  const second = await server.next("/W/down");
  assert.deepEqual(second.body, { seen: 2 });
  second.fail();
  (await server.next("/W/down")).answer({ first: 0, frames: ["x", "y", "z"] });
  assert.deepEqual((await server.next("/W/down")).body, { seen: 3 });
  assert.deepEqual(heard, ["x", "y", "z"]);
  wire.close();
});

test("the end says its code; a line that is unknown is lost", async (t) => {
  const one = await opened(t);
  (await one.server.next("/W/down")).answer({ first: 0, frames: ["bye"], closed: { code: 4409, reason: "open_elsewhere" } });
  const other = await opened(t);
  (await other.server.next("/W/down")).answer({ error: { code: "wire_unknown" } }, 404);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(one.heard, ["bye"]);
  assert.deepEqual(one.closed, [[4409, "open_elsewhere"]]);
  assert.deepEqual(other.closed, [[1006, ""]]);
});

test("only the link's own refusals are final: a portal that answers everything is no answer", async () => {
  for (const [answer, status, code] of [
    [{ error: { code: "link_expired" } }, 409, 4409],
    [{ error: { code: "forbidden" } }, 403, 1006],
    [{ error: { code: "unavailable" } }, 503, 1006],
    [{ hello: "portal" }, 200, 1006],
    [null, 200, 1006],
  ]) {
    const server = new Server();
    const wire = new Polling("/v/T/wire", server.ask);
    const end = new Promise((resolve) => {
      wire.onclose = resolve;
    });
    (await server.next("/wire")).answer(answer, status);
    assert.equal((await end).code, code);
  }
});

/** A hundred times as fast, so that patience ends within the test. */
function hurried(t) {
  const real = globalThis.setTimeout;
  globalThis.setTimeout = (run, ms) => real(run, ms / 100);
  t.after(() => (globalThis.setTimeout = real));
}

test("requests that are never answered, or always fail, end the line: the page is to say so", async (t) => {
  hurried(t);
  for (const path of ["down", "up"]) {
    for (const silent of [false, true]) {
      let asked = 0;
      const ask = (url, body, headers, signal) =>
        new Promise((resolve, reject) => {
          if (url.endsWith("/wire")) resolve({ status: 200, json: async () => ({ wire: "W" }) });
          if (!url.endsWith(`/W/${path}`)) return;
          asked += 1;
          if (asked > 9) resolve({ status: 404, json: async () => ({}) });
          else if (!silent || asked > 1) reject(new TypeError("network"));
          else signal.addEventListener("abort", () => reject(new TypeError("late")));
        });
      const wire = new Polling("/v/T/wire", ask);
      wire.onopen = () => wire.send("a");
      const { code } = await new Promise((resolve) => (wire.onclose = resolve));
      assert.deepEqual([code, wire.readyState, asked], [1006, 3, 4], path);
    }
  }
});

test("one request carries no more than the server takes", async (t) => {
  const { server, wire } = await opened(t);
  for (let number = 0; number < 60; number += 1) wire.send("x");
  const many = await server.next("/W/up");
  assert.equal(many.body.frames.length, 50);
  many.answer({ taken: 50 });
  (await server.next("/W/up")).answer({ taken: 60 });
  for (let number = 0; number < 3; number += 1) wire.send("x".repeat(40_000));
  assert.equal((await server.next("/W/up")).body.frames.length, 1);
});

test("a line that takes nothing any more is not asked again and again", async (t) => {
  const { server, wire, closed } = await opened(t);
  wire.send("a");
  (await server.next("/W/up")).answer({ taken: 0 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(server.asked.filter(({ done, url }) => !done && url.endsWith("/up")).length, 0);
  (await server.next("/W/down")).answer({ first: 0, frames: [], closed: { code: 4429, reason: "message_flood" } });
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(closed, [[4429, "message_flood"]]);
});

test("a page that lets go says so, also with nothing else to say, and before the line is open", async (t) => {
  const idle = await opened(t);
  idle.wire.close();
  assert.deepEqual((await idle.server.next("/W/up")).body, { first: 0, frames: [], close: true });
  const server = new Server();
  t.after(() => server.end());
  const wire = new Polling("/v/T/wire", server.ask);
  wire.send("leave");
  wire.close();
  (await server.next("/wire")).answer({ wire: "W" });
  assert.deepEqual((await server.next("/W/up")).body, { first: 0, frames: ["leave"], close: true });
});

test("what was said before the page lets go still leaves", async (t) => {
  const { server, wire } = await opened(t);
  wire.send("leave");
  wire.close();
  const last = await server.next("/W/up");
  assert.deepEqual(last.body, { first: 0, frames: ["leave"], close: true });
  last.answer({ taken: 1 });
});

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { BACKOFF, KEPT_WARM, PATIENCE, Refused, SILENCE, Socket, address, pause } from "../../../static/js/lib/socket.js";
import { FakeClock } from "../fake_clock.mjs";

globalThis.crypto ??= webcrypto; // as every browser has it, and Node.js from 19 on

class FakeWire {
  readyState = 0;
  sent = [];
  closed = false;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
    this.readyState = 3;
  }
  up() {
    this.readyState = 1;
    this.onopen({});
  }
  say(message) {
    this.onmessage({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
  down(code = 1006) {
    this.readyState = 3;
    this.onclose({ code });
  }
}

function stage(options = {}) {
  const clock = new FakeClock();
  const wires = [];
  const heard = [];
  const states = [];
  const socket = new Socket({
    url: "ws://desk/ws/desk",
    hello: () => ({ type: "hello", peer: "p1" }),
    onMessage: (message) => heard.push(message),
    onState: (state, code) => states.push([state, code]),
    open: () => {
      const wire = new FakeWire();
      wires.push(wire);
      return wire;
    },
    clock,
    random: () => 0,
    ...options,
  });
  socket.start();
  return { clock, wires, heard, states, socket, last: () => wires.at(-1) };
}

test("the pause grows from 0.3 s to 5 s and is never longer", () => {
  assert.equal(pause(0, 0), BACKOFF.first);
  for (let attempt = 0; attempt < 40; attempt += 1) {
    for (const chance of [0, 0.5, 0.999]) {
      assert.ok(pause(attempt, chance) >= BACKOFF.first && pause(attempt, chance) <= BACKOFF.most);
    }
  }
  assert.ok(pause(20, 0.999) > 4900);
});

test("hello is the first frame of every connection", () => {
  const { clock, wires, last } = stage();
  last().up();
  last().down();
  clock.pass(BACKOFF.most);
  last().up();
  assert.equal(wires.length, 2);
  for (const wire of wires) assert.equal(wire.sent[0].type, "hello");
});

test("a command is repeated with the same id until done", async () => {
  const { clock, wires, last, socket } = stage();
  const answer = socket.command({ type: "invite", mobile: "0612345678" });
  last().up();
  last().down();
  clock.pass(BACKOFF.most);
  last().up();
  const sent = wires.map((wire) => wire.sent.find((message) => message.type === "invite"));
  assert.equal(sent[0].id, sent[1].id);
  last().say({ type: "done", id: sent[0].id, result: { session: "s1" } });
  assert.deepEqual(await answer, { session: "s1" });
  last().down();
  clock.pass(BACKOFF.most);
  last().up();
  assert.equal(last().sent.length, 1, "a command that is done is not said again");
});

test("a refused command rejects with its stable code", async () => {
  const { last, socket, heard } = stage();
  last().up();
  const answer = socket.command({ type: "invite", mobile: "0247474747" });
  last().say({ type: "error", id: last().sent[1].id, code: "number_landline", message: "Numéro fixe.", say: "Donnez-moi un mobile." });
  await assert.rejects(answer, (error) => error instanceof Refused && error.code === "number_landline" && error.say === "Donnez-moi un mobile.");
  assert.equal(heard.length, 0);
});

test("twelve seconds of silence close the socket and open another", () => {
  const { clock, wires, last } = stage();
  last().up();
  clock.pass(SILENCE - 1000);
  last().say({ type: "tick", now: "" });
  clock.pass(SILENCE - 1);
  assert.equal(wires.length, 1);
  clock.pass(1);
  assert.ok(wires[0].closed);
  clock.pass(BACKOFF.first);
  assert.equal(wires.length, 2);
});

test("a connection that never opens is given up too", () => {
  const { clock, wires } = stage();
  clock.pass(SILENCE + BACKOFF.first);
  assert.equal(wires.length, 2);
  assert.ok(wires[0].closed);
});

test("signalling kept during a cut follows the hello, in order", () => {
  const { clock, last, socket } = stage();
  last().up();
  last().down();
  socket.send({ type: "signal.answer", sdp: "a" });
  socket.send({ type: "signal.candidate", candidate: null });
  socket.offer({ type: "media.report", state: "lost" });
  clock.pass(BACKOFF.most);
  last().up();
  assert.deepEqual(last().sent.map((message) => message.type), ["hello", "signal.answer", "signal.candidate"]);
});

test("a fatal code stops for good, and says so", () => {
  const { clock, wires, states, last } = stage({ fatal: [4401] });
  last().up();
  last().down(4401);
  clock.pass(60_000);
  assert.equal(wires.length, 1);
  assert.deepEqual(states.at(-1), ["stopped", 4401]);
});

test("nudge tries at once, and replaces a socket that slept", () => {
  const { clock, wires, last, socket } = stage();
  last().up();
  last().down();
  socket.nudge();
  assert.equal(wires.length, 2);
  last().up();
  clock.at += SILENCE + 1;
  socket.nudge();
  assert.equal(socket.state, "waiting");
});

test("on another network the socket is replaced at once, without waiting for its silence", () => {
  const { wires, last, heard, socket } = stage();
  last().up();
  const { onmessage } = wires[0];
  socket.renew();
  assert.ok(wires[0].closed);
  assert.equal(wires.length, 2);
  socket.send({ type: "signal.offer", sdp: "a" });
  last().up();
  assert.deepEqual(last().sent.map((message) => message.type), ["hello", "signal.offer"]);
  onmessage({ data: '{"type":"late"}' });
  assert.deepEqual(heard, []);
  socket.stop();
  socket.renew();
  assert.equal(wires.length, 2);
});

test("a socket opened ahead is replaced on another network too, and its handshake is timed once", () => {
  const { clock, wires, socket, last } = stage();
  socket.stop();
  socket.warm();
  clock.pass(30);
  last().up();
  assert.equal(socket.took, 30);
  socket.renew();
  assert.equal(wires.length, 3);
  assert.ok(wires[1].closed);
  clock.pass(80);
  last().up();
  assert.deepEqual(last().sent, []);
  socket.start();
  assert.equal(socket.took, 30);
  assert.deepEqual(last().sent.map((message) => message.type), ["hello"]);
});

test("a socket opened ahead that the server closed is replaced while its caller still reads, and not for ever", () => {
  const { clock, wires, socket, last } = stage();
  socket.stop();
  const before = wires.length;
  socket.warm();
  for (let turn = 1; turn <= 2 * KEPT_WARM; turn += 1) {
    if (wires.length - before < turn) break;
    last().up();
    clock.pass(10_000);
    last().down(4400);
    clock.pass(BACKOFF.first);
  }
  assert.equal(wires.length - before, KEPT_WARM);
  socket.start();
  last().up();
  assert.deepEqual(last().sent.map((message) => message.type), ["hello"]);
});

test("a caller who taps while the socket opened ahead is being replaced waits for one socket only", () => {
  const { clock, wires, socket, last } = stage();
  socket.stop();
  socket.warm();
  last().up();
  last().down(4400);
  const before = wires.length;
  socket.start();
  last().up();
  clock.pass(BACKOFF.first);
  assert.equal(wires.length, before + 1);
  assert.equal(socket.state, "open");
});

test("a caller who reads before he taps is not taken for one whom nothing answers", () => {
  let late = 0;
  const { clock, socket, last } = stage({ onLate: () => (late += 1) });
  socket.stop();
  socket.warm();
  last().up();
  clock.pass(3 * PATIENCE);
  socket.start();
  clock.pass(PATIENCE - 1);
  assert.equal(late, 0, "the hello has just been said");
  clock.pass(1);
  assert.equal(late, 1);
});

test("a socket opened ahead that hangs has had its time when the caller taps", () => {
  let late = 0;
  const { clock, socket } = stage({ onLate: () => (late += 1) });
  socket.stop();
  socket.warm();
  clock.pass(PATIENCE);
  socket.start();
  clock.pass(0);
  assert.equal(late, 1);
});

test("a page that ends before it has begun opens no socket any more", () => {
  const { clock, wires, socket, last } = stage();
  socket.stop();
  socket.warm();
  last().up();
  socket.stop();
  assert.ok(last().closed);
  last().down(1000);
  clock.pass(60_000);
  assert.equal(wires.length, 2);
});

test("a late event of a former socket changes nothing", () => {
  const { clock, wires, last, socket } = stage();
  last().up();
  const { onclose } = wires[0];
  last().down();
  clock.pass(BACKOFF.most);
  last().up();
  onclose({ code: 1006 });
  assert.equal(socket.state, "open");
});

test("what is not a message is ignored", () => {
  const { last, heard } = stage();
  last().up();
  for (const text of ["", "{", "null", "[]", '{"type":1}', "12"]) last().say(text);
  assert.deepEqual(heard, []);
});

test("the address keeps host and security", () => {
  assert.equal(address("/ws/desk", "https://visio.example/desk"), "wss://visio.example/ws/desk");
  assert.equal(address("/ws/desk", "http://localhost:8015/desk"), "ws://localhost:8015/ws/desk");
});

test("bytes are sent now or never, and never behind others", () => {
  const bytes = [];
  const { last, socket, heard } = stage({ onBytes: (data) => bytes.push(data) });
  const still = new Uint8Array([1]);
  assert.equal(socket.ship(still), false, "not before the socket is open");
  last().up();
  const sent = [];
  last().send = (data) => sent.push(data);
  assert.equal(socket.ship(still), true);
  last().bufferedAmount = 1;
  assert.equal(socket.ship(still), false);
  assert.deepEqual(sent, [still]);
  const data = new ArrayBuffer(3);
  last().onmessage({ data });
  assert.deepEqual(bytes, [data]);
  assert.deepEqual(heard, []);
});

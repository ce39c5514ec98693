import assert from "node:assert/strict";
import { test } from "node:test";
import { prepared, servers, way } from "../../../static/js/rtc/preflight.js";

const ICE = {
  iceServers: [
    { urls: ["stun:relay:3478"] },
    { urls: ["turn:relay:3478?transport=udp", "turn:relay:3478?transport=tcp", "turns:relay:443?transport=tcp"], username: "u", credential: "c" },
  ],
  iceTransportPolicy: "all",
};
const FOUND = { socket: 20, stun: 30, udp: 40, tcp: 50, tls: 60 };

test("each ICE URL goes one way", () => {
  assert.deepEqual(
    ["stun:a", "stuns:a", "turn:a", "turn:a?transport=udp", "turn:a:80?transport=tcp", "turns:a:443", "turns:a?transport=tcp"].map(way),
    ["stun", "stun", "udp", "udp", "tcp", "tls", "tls"],
  );
});

test("servers keep their credentials and lose the ways that are not wanted", () => {
  assert.deepEqual(servers(ICE, (one) => one === "tls"), [{ urls: ["turns:relay:443?transport=tcp"], username: "u", credential: "c" }]);
  assert.deepEqual(servers({ iceServers: [{ urls: "turn:one" }] }, () => true), [{ urls: ["turn:one"] }]);
  assert.deepEqual(servers(null, () => true), []);
});

test("without UDP the relay is asked for at once, by what passes", () => {
  const shut = prepared(ICE, { ...FOUND, stun: false, udp: false, tcp: false });
  assert.equal(shut.iceTransportPolicy, "relay");
  assert.deepEqual(shut.iceServers.flatMap((server) => server.urls), ["turns:relay:443?transport=tcp"]);
});

test("whatever leaves a doubt changes nothing", () => {
  for (const found of [null, FOUND, { ...FOUND, udp: false }, { ...FOUND, stun: null, udp: null }, { socket: 1, stun: false, udp: false, tcp: false, tls: false }])
    assert.equal(prepared(ICE, found), ICE);
  assert.deepEqual(prepared([], FOUND), []);
});

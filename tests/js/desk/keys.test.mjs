import assert from "node:assert/strict";
import { test } from "node:test";

const { pressed } = await import("../../../static/js/desk/keys.js");

const CASES = [
  ["QWERTY", { key: "m", code: "KeyM" }, null, "KeyM"],
  ["AZERTY: M stands where QWERTY has the semicolon", { key: "m", code: "Semicolon" }, null, "KeyM"],
  ["AZERTY: the key in the place of A says Q", { key: "q", code: "KeyA" }, null, "KeyQ"],
  ["caps lock", { key: "M", code: "KeyM" }, null, "KeyM"],
  ["Mac, Option: another sign, by the layout", { key: "µ", code: "Semicolon" }, new Map([["Semicolon", "m"]]), "KeyM"],
  ["Mac, Option, no layout known: by the place", { key: "µ", code: "KeyM" }, null, "KeyM"],
  ["Cyrillic: by the place", { key: "ь", code: "KeyM" }, new Map([["KeyM", "ь"]]), "KeyM"],
  ["AZERTY: the digits' row without shift", { key: "é", code: "Digit2" }, null, "Digit2"],
];

for (const [name, event, layout, code] of CASES) {
  test(name, () => assert.equal(pressed(event, layout), code));
}

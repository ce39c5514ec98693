import assert from "node:assert/strict";
import { test } from "node:test";

const { goesOn, oneActAPress } = await import("../../../static/js/base/held_keys.js");

const BUTTON = { tagName: "BUTTON", type: "submit", tabIndex: 0 };
const LINK = { tagName: "A", tabIndex: 0 };
const FIELD = { tagName: "INPUT", type: "tel", tabIndex: 0 };
const BOX = { tagName: "INPUT", type: "checkbox", tabIndex: 0 };
const SLIDER = { tagName: "INPUT", type: "range", tabIndex: 0 };
const TEXT = { tagName: "TEXTAREA", tabIndex: 0 };
const SELECT = { tagName: "SELECT", tabIndex: 0 };
const BODY = { tagName: "BODY", tabIndex: -1 };
const MAIN = { tagName: "MAIN", tabIndex: -1 };

const held = (key, target, more = {}) => ({ key, code: `code of ${key}`, target, altKey: false, ctrlKey: false, metaKey: false, ...more });

const CASES = [
  ["Enter on a button", held("Enter", BUTTON), false],
  ["Space on a button", held(" ", BUTTON), false],
  ["Space on a box", held(" ", BOX), false],
  ["Enter on a link", held("Enter", LINK), false],
  ["Enter in a field sends its form", held("Enter", FIELD), false],
  ["Enter with Ctrl in a field", held("Enter", FIELD, { ctrlKey: true }), false],
  ["Enter in a text of several lines", held("Enter", TEXT), true],
  ["Escape", held("Escape", BODY), false],
  ["Escape in a field", held("Escape", FIELD), false],
  ["a digit of a list", held("1", BUTTON), false],
  ["a digit in a field", held("1", FIELD), true],
  ["a letter of a list", held("a", SELECT), false],
  ["?", held("?", BODY), false],
  ["? in a text", held("?", TEXT), true],
  ["Alt and a letter", held("v", BODY, { altKey: true }), false],
  ["Alt and a letter in a field", held("v", FIELD, { altKey: true }), false],
  ["Option and a dead key", held("Dead", BODY, { altKey: true }), false],
  ["an arrow moves", held("ArrowDown", BUTTON), true],
  ["an arrow on a slider", held("ArrowRight", SLIDER), true],
  ["an arrow points", held("ArrowLeft", BODY, { altKey: false }), true],
  ["Option and an arrow goes word by word", held("ArrowLeft", FIELD, { altKey: true }), true],
  ["Backspace deletes", held("Backspace", FIELD), true],
  ["Option and Backspace deletes word by word", held("Backspace", FIELD, { altKey: true }), true],
  ["Option and Delete in a text", held("Delete", TEXT, { altKey: true }), true],
  ["Tab", held("Tab", BUTTON), true],
  ["Space scrolls", held(" ", BODY), true],
  ["Space scrolls what has the focus by script", held(" ", MAIN), true],
  ["Ctrl+Z", held("z", BODY, { ctrlKey: true }), true],
  ["an input method", held("Process", FIELD), true],
];
for (const [name, event, expected] of CASES) {
  test(name, () => assert.equal(goesOn(event, event), expected));
}

test("repeats that come where the key was not pressed only move", () => {
  assert.equal(goesOn(held("m", FIELD), held("m", BODY)), false, "the act moved the focus into the field");
  assert.equal(goesOn(held("1", FIELD), held("1", BUTTON)), false, "the list closed under the key");
  assert.equal(goesOn(held("m", FIELD), held("m", FIELD, { altKey: true })), false, "Alt was let go first");
  assert.equal(goesOn(held("Enter", TEXT), null), false, "the page was loaded under the key");
  assert.equal(goesOn(held("a", FIELD), held("b", FIELD)), false);
  assert.equal(goesOn(held("ArrowDown", BODY), null), true);
});

test("it stands before every listener and before the browser", () => {
  const listening = [];
  const before = globalThis.addEventListener;
  globalThis.addEventListener = (type, listener, options) => listening.push({ type, listener, options });
  oneActAPress();
  globalThis.addEventListener = before;
  assert.equal(listening.length, 1);
  const [{ type, listener, options }] = listening;
  assert.deepEqual([type, options], ["keydown", { capture: true }]);
  const told = [];
  const event = (key, target, repeat) => ({
    ...held(key, target), repeat,
    preventDefault: () => told.push("prevented"), stopPropagation: () => told.push("stopped"),
  });
  listener(event("Enter", BUTTON, false));
  assert.deepEqual(told, []);
  listener(event("Enter", BUTTON, true));
  assert.deepEqual(told, ["prevented", "stopped"]);
  listener(event("a", FIELD, false));
  listener(event("Shift", FIELD, false));
  listener(event("a", FIELD, true));
  assert.equal(told.length, 2, "a modifier is no press of its own");
});

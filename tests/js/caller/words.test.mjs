import assert from "node:assert/strict";
import { test } from "node:test";
import { Words } from "../../../static/js/caller/words.js";
import { replaced } from "../globals.mjs";

/** The menu of a page whose words come when the test says so. */
function page() {
  class Node extends EventTarget {}
  class Element extends Node {}
  class HTMLElement extends Element {}
  class HTMLDetailsElement extends HTMLElement {
    open = true;
    querySelector = () => null;
  }
  const menu = new HTMLDetailsElement();
  const own = new HTMLElement();
  const globals = {
    Node, Element, HTMLElement, HTMLDetailsElement,
    location: { search: "" },
    document: Object.assign(new EventTarget(), {
      documentElement: { lang: "fr", dir: "ltr" },
      getElementById: (id) => (id === "languages" ? menu : own),
      querySelector: () => null,
      querySelectorAll: () => [],
    }),
    fetch: (url) => new Promise((resolve) => waiting.set(url, () => resolve({ ok: true, json: async () => ({ tap: url }) }))),
  };
  const waiting = new Map();
  const done = replaced(globals);
  const chosen = [];
  const words = new Words({
    strings: { tap: "fr" },
    words: { fr: "fr", ro: "ro", ru: "ru" },
    onChanged: () => undefined,
    onChosen: (language) => chosen.push(language),
  });
  return {
    words,
    chosen,
    choose(language) {
      const link = Object.assign(new Element(), { closest: () => ({ getAttribute: () => language }) });
      const event = new Event("click");
      Object.defineProperty(event, "target", { value: link });
      menu.dispatchEvent(event);
    },
    async come(language) {
      waiting.get(language)();
      for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    },
    done,
  };
}

test("of two languages chosen at once the last one stays, whichever words come first", async () => {
  const it = page();
  try {
    it.choose("ro");
    it.choose("ru");
    await it.come("ru");
    await it.come("ro");
    assert.equal(it.words.language, "ru");
    assert.equal(it.words.say("tap"), "ru");
    assert.deepEqual(it.chosen, ["ru"]);
  } finally {
    it.done();
  }
});

test("a language that was left again before its words came does not come back", async () => {
  const it = page();
  try {
    it.choose("ro");
    it.choose("fr");
    await it.come("ro");
    assert.equal(it.words.language, "fr");
    assert.deepEqual(it.chosen, ["fr"]);
  } finally {
    it.done();
  }
});

test("the server's word for what was chosen before does not take back what is chosen now", async () => {
  const it = page();
  try {
    it.choose("ro");
    await it.come("ro");
    it.choose("ru");
    it.words.heard({ type: "language", language: "ro" });
    await it.come("ru");
    assert.equal(it.words.language, "ru");
    assert.deepEqual(it.chosen, ["ro", "ru"]);
  } finally {
    it.done();
  }
});

/** What the guard decides, in a document of a few nodes; tests/e2e/caller/test_cannot.py has the real ones. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SOURCE = readFileSync(new URL("../../../static/js/base/guard.js", import.meta.url), "utf8");

class Node {
  parentNode = null;
  textContent = "";
  constructor(attributes = {}) {
    this.attributes = { ...attributes };
  }
  getAttribute(name) {
    return this.attributes[name] ?? null;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  hasAttribute(name) {
    return name in this.attributes;
  }
  removeAttribute(name) {
    delete this.attributes[name];
  }
  querySelector() {
    return this.text;
  }
  querySelectorAll() {
    return this.nodes;
  }
}
class HTMLButtonElement extends Node {}
class HTMLScriptElement extends Node {
  type = "module";
}
class HTMLLinkElement extends Node {
  rel = "stylesheet";
}

/** A page on which the guard ran. */
function opened({ hash = "", answers = () => 200 } = {}) {
  const heard = {};
  const listen = (name, then) => (heard[name] = then);
  const cannot = new Node({ hidden: "", "data-tells": "" });
  const title = new Node({ "data-lost": "lost" });
  title.textContent = "old";
  cannot.nodes = [title];
  const button = new HTMLButtonElement({ "data-wait": "loading" });
  button.text = new Node();
  const page = {
    asked: [], timers: [], reloads: 0, clean: false, heard, cannot, title, button,
    body: new Node({ "data-phase": "invite" }), root: new Node(),
    ready: () => page.body.setAttribute("data-ready", "true"),
  };
  const document = { documentElement: page.root, body: page.body, hidden: false, readyState: "interactive", addEventListener: listen, getElementById: () => cannot };
  page.document = document;
  const location = {
    hash, pathname: "/v/token", search: "",
    replace: (to) => (location.hash = to),
    reload: () => (page.reloads += 1),
  };
  page.location = location;
  class XMLHttpRequest {
    open(method, path) {
      this.what = `${method} ${path}`;
    }
    setRequestHeader() {}
    send(body) {
      page.asked.push(body ? `${this.what} ${body}` : this.what);
      const status = answers(this.what);
      this.status = status ?? 0;
      if (status === null) {
        if (this.timeout) page.timers.push({ then: () => this.onloadend(), ms: this.timeout });
        return;
      }
      this.onloadend();
    }
  }
  vm.runInNewContext(SOURCE, {
    document, location, XMLHttpRequest, Node, HTMLButtonElement, HTMLScriptElement, HTMLLinkElement,
    history: { replaceState: () => (page.clean = true) },
    addEventListener: listen,
    setTimeout: (then, ms) => page.timers.push({ then, ms }),
  });
  return page;
}
const TOLD = (why) => `POST /v/token/cannot {"why":"${why}"}`;

test("a page that works is left alone", () => {
  const page = opened();
  page.ready();
  page.timers[0].then(); // something small is still on its way
  page.heard.load();
  page.document.readyState = "complete";
  page.timers[0].then();
  assert.deepEqual([page.asked, page.reloads], [[], 0]);
  assert.ok(page.cannot.hasAttribute("hidden"));
});

test("one that did not parse is an old browser, told once somebody looks", () => {
  const page = opened();
  page.document.hidden = true;
  page.heard.load();
  assert.equal(page.body.getAttribute("data-phase"), "cannot");
  assert.equal(page.title.textContent, "old");
  assert.deepEqual(page.asked, []);
  page.document.hidden = false;
  page.heard.visibilitychange();
  page.heard.visibilitychange();
  assert.deepEqual(page.asked, [TOLD("old_browser")]);
  assert.equal(page.reloads, 0);
});

test("what is told is told again when no server took it, and not by a page without a link", () => {
  let status = 503;
  const page = opened({ answers: () => status });
  page.heard.load();
  status = 200;
  page.heard.visibilitychange();
  page.heard.visibilitychange();
  assert.deepEqual(page.asked, [TOLD("old_browser"), TOLD("old_browser")]);
  const closed = opened();
  closed.cannot.removeAttribute("data-tells");
  closed.heard.load();
  assert.equal(closed.body.getAttribute("data-phase"), "cannot");
  assert.deepEqual(closed.asked, []);
});

test("a part that was lost is loaded again once, with the tap that came meanwhile", () => {
  const page = opened();
  let held = 0;
  page.heard.click({ target: page.button, preventDefault: () => (held += 1) });
  assert.equal(page.button.text.textContent, "loading");
  assert.equal(held, 1, "no form is sent: the page would be another one");
  page.heard.error({ target: new HTMLScriptElement() });
  page.heard.load();
  assert.deepEqual([page.asked, page.location.hash, page.reloads], [["HEAD /v/token"], "#again-tap", 1]);
  const again = opened({ hash: "#again-tap" });
  assert.equal(again.root.getAttribute("data-kept"), "true");
  again.heard.error({ target: new HTMLScriptElement() });
  again.heard.load();
  assert.deepEqual([again.asked, again.reloads, again.title.textContent], [[TOLD("lost_script")], 0, "lost"]);
  const works = opened({ hash: "#again" });
  works.ready();
  works.heard.load();
  assert.ok(works.clean);
});

test("never into an error page of the browser: it asks until the server answers", () => {
  let status = 0;
  const page = opened({ answers: () => status });
  page.heard.error({ target: new HTMLScriptElement() });
  page.heard.load();
  assert.equal(page.reloads, 0);
  assert.equal(page.body.getAttribute("data-phase"), "cannot");
  const next = page.timers.find(({ ms }) => ms === 3000);
  status = 200;
  next.then();
  assert.equal(page.reloads, 1);
});

test("a server that takes the question and never answers is one that does not answer", () => {
  const page = opened({ answers: (what) => (what.startsWith("HEAD") ? null : 200) });
  page.heard.error({ target: new HTMLScriptElement() });
  page.heard.load();
  assert.equal(page.body.getAttribute("data-phase"), "invite");
  page.timers.find(({ ms }) => ms < 15_000)?.then();
  assert.equal(page.body.getAttribute("data-phase"), "cannot");
});

test("styles that were lost: again, unless the caller is on the way", () => {
  const page = opened();
  page.ready();
  page.heard.error({ target: new HTMLLinkElement() });
  page.heard.load();
  assert.equal(page.reloads, 1);
  const tapped = opened();
  tapped.ready();
  tapped.body.setAttribute("data-phase", "asking");
  tapped.heard.error({ target: new HTMLLinkElement() });
  tapped.heard.load();
  assert.equal(tapped.reloads, 0);
});

test("a page that works without its styles is never hidden, nor taken from a caller who goes on meanwhile", () => {
  let status = 0;
  let tapped = () => undefined;
  const page = opened({
    answers: () => {
      tapped();
      return status;
    },
  });
  page.ready();
  page.heard.error({ target: new HTMLLinkElement() });
  page.heard.load();
  assert.equal(page.body.getAttribute("data-phase"), "invite", "the server did not answer: the button stays");
  status = 200;
  tapped = () => page.body.setAttribute("data-phase", "asking");
  page.timers.find(({ ms }) => ms === 3000).then();
  assert.equal(page.reloads, 0, "touched while the server was asked");
});

test("errors that are not of the page's own parts prove nothing", () => {
  const page = opened();
  page.heard.error({ target: page });
  page.heard.error({ target: new Node() });
  page.ready();
  page.heard.load();
  assert.deepEqual([page.asked, page.reloads], [[], 0]);
});

test("after fifteen seconds without an end it says so, and goes on when the page comes", () => {
  const page = opened();
  page.timers[0].then();
  assert.deepEqual(page.asked, [TOLD("lost_script")]);
  page.ready();
  page.heard.load();
  page.heard.visibilitychange();
  assert.equal(page.asked.length, 1);
  const behind = opened();
  behind.document.hidden = true;
  behind.timers[0].then();
  behind.ready();
  behind.document.hidden = false;
  behind.heard.visibilitychange();
  assert.deepEqual(behind.asked, [], "it came before anybody looked");
});

test("a touch is the page's own once it is ready", () => {
  const page = opened();
  page.ready();
  page.heard.click({ target: page.button, preventDefault: () => assert.fail("it is the page's") });
  assert.equal(page.root.getAttribute("data-kept"), null);
});

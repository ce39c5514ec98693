import assert from "node:assert/strict";
import { register } from "node:module";
import { test } from "node:test";
import { fetched } from "../../../static/js/caller/later.js";

/** Firefox: a module that was lost once stays so under its address, for whoever imports it. Folders as the server has them. */
const FIREFOX = String.raw`export async function resolve(name, context, next) {
  const again = /[?]folder/.test(context.parentURL ?? "") || /^[.][.]\/[.][.]\/js-[0-9]+\//.test(name);
  if (name.endsWith("/guide.js") && !again) throw new TypeError("Failed to fetch");
  const found = await next(name.replace(/^([.][.]\/)[.][.]\/js-[0-9]+\//, "$1"), context);
  return again ? { ...found, url: found.url + "?folder" } : found;
}`;

test("what a lost part imports is asked for again too", async () => {
  register(`data:text/javascript,${encodeURIComponent(FIREFOX)}`);
  const { setTimeout } = globalThis;
  globalThis.setTimeout = (then) => setTimeout(then);
  try {
    const { Trouble } = await fetched("caller/camera/trouble.js");
    assert.equal(typeof Trouble, "function");
  } finally {
    globalThis.setTimeout = setTimeout;
  }
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const imports = (name) => [...file(`static/js/${name}.js`).matchAll(/^import .* from "\.\/(\w+)\.js";$/gm)].map((match) => match[1]);
const closure = (name, found = new Set()) => {
  for (const one of imports(name)) if (!found.has(one)) closure(one, found.add(one));
  return found;
};
const preloaded = (page) => JSON.parse(file(`templates/${page}.html`).match(/for name in (\[.*?\])/)[1]);

for (const page of ["caller", "desk"]) {
  test(`every module behind ${page}.js is asked for with the page, not one after the other`, () => {
    assert.deepEqual(preloaded(page), [...closure(page)].sort());
  });
}

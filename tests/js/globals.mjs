/** Globals of a browser that a test puts in the place of those of Node.js.
 * @param {Record<string, unknown>} globals @returns {() => void} puts back what was there */
export function replaced(globals) {
  const kept = Object.keys(globals).map((name) => /** @type {const} */ ([name, Object.getOwnPropertyDescriptor(globalThis, name)]));
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return () => {
    for (const [name, was] of kept) {
      if (was) Object.defineProperty(globalThis, name, was);
      else Reflect.deleteProperty(globalThis, name);
    }
  };
}

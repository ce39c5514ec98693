/** On every page of ours: one act a press. A key that is held repeats itself; its repeats move and type, they act no second time. */

/** What a repeat, or the press before it, is judged by.
 * @typedef {Pick<KeyboardEvent, "key" | "code" | "altKey" | "ctrlKey" | "metaKey" | "target">} Pressed */

/** Keys that only change what other keys do. */
const MODIFIERS = new Set(["Shift", "Control", "Alt", "AltGraph", "Meta", "CapsLock", "Fn"]);
/** Keys with which one moves from place to place or deletes, also with Alt. */
const MOVES = /^(Arrow|Page)|^(Home|End|Tab|Backspace|Delete)$/;
/** What `type` says of a field of one line that one writes in. */
const WRITTEN = new Set(["text", "search", "tel", "email", "url", "password", "number", "date", "time", "datetime-local", "month", "week"]);

/** Whether a repeat means what it says: moving, deleting, writing and scrolling go on, where the key was pressed.
 * Elsewhere it is the rest of a press that has done its act: it moved the focus, opened a dialog, loaded this page.
 * @param {Pressed} repeat @param {Pressed | null} press the last one that was no repeat @returns {boolean} */
export function goesOn(repeat, press) {
  const { key, altKey, target } = repeat;
  if (MOVES.test(key)) return true;
  if (!altKey && key.length > 1 && key !== "Enter" && key !== "Escape") return true;
  if (press?.code !== repeat.code || press.target !== target || press.altKey !== altKey) return false;
  if (altKey || key === "Escape") return false;
  const { tagName, type, isContentEditable, tabIndex } = /** @type {Partial<HTMLInputElement>} */ (target ?? {});
  const page = tagName === "TEXTAREA" || isContentEditable === true;
  if (key === "Enter") return page;
  if (page || (tagName === "INPUT" && WRITTEN.has(type ?? ""))) return true;
  if (repeat.ctrlKey || repeat.metaKey) return true; // the browser's own: zoom, undo
  return key === " " && (tabIndex ?? -1) < 0; // scrolls the page; on a button it would press
}

/** Before any other listener, and before the browser makes a click of it. */
export function oneActAPress() {
  /** @type {Pressed | null} */
  let press = null;
  addEventListener(
    "keydown",
    (event) => {
      if (event.repeat) {
        if (goesOn(event, press)) return;
        event.preventDefault();
        event.stopPropagation();
      } else if (!MODIFIERS.has(event.key)) {
        press = event;
      }
    },
    { capture: true },
  );
}

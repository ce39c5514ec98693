/** The key of the theme, whose button theme.js looks after on every professional page. */
import { get } from "../lib/dom.js";

export const themeKeys = {
  keys: [{ code: "KeyD", shown: "D", does: "Clair ou sombre", act: () => get("theme", HTMLButtonElement).click() }],
};

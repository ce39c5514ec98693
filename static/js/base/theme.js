/** Dark or light, on every professional page: as the system has it until one chooses, then as chosen, in this browser. */

const YEAR = 31_536_000;
const root = document.documentElement;
const button = document.getElementById("theme");
const light = matchMedia("(prefers-color-scheme: light)");

/** @returns {"dark" | "light"} */
function now() {
  const chosen = root.dataset.theme;
  if (chosen === "dark" || chosen === "light") return chosen;
  return light.matches ? "light" : "dark";
}

function draw() {
  const dark = now() === "dark";
  button?.setAttribute("aria-pressed", String(!dark));
  button?.setAttribute("title", dark ? "Passer en clair (Alt+D)" : "Passer en sombre (Alt+D)");
}

function toggle() {
  const theme = now() === "dark" ? "light" : "dark";
  root.dataset.theme = theme;
  // The server writes it into the next page: nothing flashes.
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `v15_theme=${theme}; Path=/; Max-Age=${YEAR}; SameSite=Lax${secure}`;
  draw();
}

button?.addEventListener("click", toggle);
light.addEventListener("change", draw);
// Page B has its own list of keys, which the help shows.
if (!document.getElementById("keys")) {
  document.addEventListener("keydown", (event) => {
    if (event.code !== "KeyD" || !event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    toggle();
  });
}
draw();

/** The report of a self-test, as JSON and as a text to read: servers and measurements, no address of this PC and nobody's name. */

/** @typedef {import("./verdict.js").Judged} Judged */
/** @typedef {{version: string, site: string, station: string | null, at: string}} About */

/** What of the measurements leaves the page: a key that is not here stays. */
const FACTS = new Set([
  ...["name", "version", "missing", "h264", "vp8", "width", "height", "ratio", "tested", "error", "host", "secure", "rtts", "offset_ms"],
  ...["down_kbps", "up_kbps", "configured", "found", "url", "candidate", "passed", "type", "protocol", "relay_protocol", "frames"],
]);

/** @param {Record<string, any>} facts @returns {Record<string, any>} */
const known = (facts) => Object.fromEntries(Object.entries(facts).filter(([name]) => FACTS.has(name)));

/** @param {About} about @param {readonly Judged[]} judged @param {Record<string, Record<string, any>>} all @param {{level: string, title: string}} verdict */
export function report(about, judged, all, verdict) {
  return {
    product: "visio15",
    ...about,
    verdict: { level: verdict.level, title: verdict.title },
    steps: judged.map(({ key, title, level, words, advice, it, ms }) => ({ key, title, level, words, advice, it, ms, facts: known(all[key] ?? {}) })),
  };
}

const SIGNS = /** @type {Record<string, string>} */ ({ ok: "bien", watch: "à surveiller", bad: "à corriger", none: "non testé" });

/** @param {ReturnType<typeof report>} made @returns {string} */
export function text(made) {
  const lines = [
    `Visio15 ${made.version}, test du poste`,
    `${made.at}, site ${made.site}` + (made.station ? `, poste ${made.station}` : ""),
    "",
    made.verdict.title,
  ];
  for (const step of made.steps) {
    const took = step.ms === null ? "" : ` (${step.ms} ms)`;
    lines.push("", `${step.title} : ${SIGNS[step.level] ?? step.level}${took}`, `  ${step.words}`);
    if (step.level === "ok" || step.level === "none") continue;
    if (step.advice) lines.push(`  À faire : ${step.advice}`);
    if (step.it) lines.push(`  Pour l’informatique : ${step.it}`);
  }
  return `${lines.join("\r\n")}\r\n`;
}

/**
 * How well the picture comes, and what holds it back: pure. Statistics of the connection in, once a second;
 * a level of 0 to 4, its likely cause in French, and the last minute out.
 */

/** Seconds the judgement looks back: shorter would flicker, longer would be late. */
const WINDOW = 5;
/** Shortest time between two samples that says something, in milliseconds: a page that was busy looks twice in a row. */
const SHORTEST = 500;
/** Seconds of the graph. */
export const MINUTE = 60;
/** Frames a second that fill the graph. */
export const FULL = 30;

export const LEVELS = Object.freeze(["image fixe", "très faible", "faible", "correct", "bon"]);

/** From which value on a fault costs how much: [level 3, level 2, level 1]. */
const LOSS = [0.015, 0.04, 0.15];
const ROUND_TRIP = [250, 500, 1_000];
const DELAY = [200, 400, 800];
/** Below which value: [level 3, level 2, level 1]. */
const FLUID = 15;
const FRAMES = [FLUID, 10, 5];
const KBITS = [300, 150, 60];
/** A sharp and fluid picture of a still room takes few bits: only a poor one is blamed on them. */
const SMALL = 240;

/** @typedef {"direct" | "direct TCP" | "relais" | "relais TCP" | "relais TLS" | ""} Path */
/**
 * @typedef {object} Sample counters of the connection at one moment
 * @property {number} at milliseconds
 * @property {number} frames decoded
 * @property {number} freezes
 * @property {number} lost packets
 * @property {number} received packets
 * @property {number} bytes
 * @property {number} jitter milliseconds
 * @property {number} waited seconds that all frames together waited in the jitter buffer
 * @property {number} emitted frames that left it
 * @property {number | null} roundTrip milliseconds
 * @property {number} width
 * @property {number} height
 * @property {Path} path
 */
/**
 * @typedef {object} Measure what happened between two samples
 * @property {number} at
 * @property {number} fps
 * @property {number} loss 0 to 1
 * @property {number} jitter milliseconds
 * @property {number} delay milliseconds a frame waited to be shown
 * @property {number | null} roundTrip
 * @property {number} kbits a second
 * @property {number} freezes
 * @property {number} width
 * @property {number} height
 * @property {Path} path
 */
/** @typedef {{level: 0 | 1 | 2 | 3 | 4, cause: string | null}} Quality */

/** Read what counts out of a report of getStats.
 * @param {Iterable<readonly [string, any]>} report @param {number} at for who does not date its rows @returns {Sample | null} null: no video yet */
export function sample(report, at) {
  const all = new Map(report);
  const rows = [...all.values()];
  const video = rows.find((row) => row.type === "inbound-rtp" && row.kind === "video");
  if (!video) return null;
  const pair = selected(all, rows);
  return {
    at: video.timestamp ?? at,
    frames: video.framesDecoded ?? 0,
    freezes: video.freezeCount ?? 0,
    lost: Math.max(0, video.packetsLost ?? 0),
    received: video.packetsReceived ?? 0,
    bytes: video.bytesReceived ?? 0,
    jitter: (video.jitter ?? 0) * 1000,
    waited: video.jitterBufferDelay ?? 0,
    emitted: video.jitterBufferEmittedCount ?? 0,
    roundTrip: typeof pair?.currentRoundTripTime === "number" ? pair.currentRoundTripTime * 1000 : null,
    width: video.frameWidth ?? 0,
    height: video.frameHeight ?? 0,
    path: path(all, pair),
  };
}

/** @param {Map<string, any>} all @param {any[]} rows @returns {any} the pair of addresses in use */
function selected(all, rows) {
  const transport = rows.find((row) => row.type === "transport" && row.selectedCandidatePairId);
  if (transport) return all.get(transport.selectedCandidatePairId);
  const pairs = rows.filter((row) => row.type === "candidate-pair");
  return pairs.find((row) => row.selected) ?? pairs.find((row) => row.nominated && row.state === "succeeded");
}

/** @param {Map<string, any>} all @param {any} pair @returns {Path} */
function path(all, pair) {
  const here = all.get(pair?.localCandidateId);
  const there = all.get(pair?.remoteCandidateId);
  if (!here) return "";
  if (here.candidateType === "relay") {
    if (here.relayProtocol === "tls") return "relais TLS";
    return here.relayProtocol === "tcp" ? "relais TCP" : "relais";
  }
  if (there?.candidateType === "relay") return "relais";
  return here.protocol === "tcp" ? "direct TCP" : "direct";
}

/** @param {Sample} before @param {Sample} after @returns {boolean} whether one must wait to measure */
export function tooSoon(before, after) {
  return after.at >= before.at && after.at - before.at < SHORTEST;
}

/** @param {Sample} before @param {Sample} after @returns {Measure | null} null: not the same connection, or no time between */
export function measure(before, after) {
  const seconds = (after.at - before.at) / 1000;
  if (seconds <= 0 || after.frames < before.frames || after.bytes < before.bytes) return null;
  const lost = Math.max(0, after.lost - before.lost);
  const sent = lost + after.received - before.received;
  const emitted = after.emitted - before.emitted;
  return {
    at: after.at,
    fps: (after.frames - before.frames) / seconds,
    loss: sent > 0 ? lost / sent : 0,
    jitter: after.jitter,
    delay: emitted > 0 ? ((after.waited - before.waited) / emitted) * 1000 : 0,
    roundTrip: after.roundTrip,
    kbits: ((after.bytes - before.bytes) * 8) / 1000 / seconds,
    freezes: Math.max(0, after.freezes - before.freezes),
    width: after.width,
    height: after.height,
    path: after.path,
  };
}

/** The last minute, with one more second.
 * @param {readonly Measure[]} minute @param {Measure} one @returns {Measure[]} */
export function remember(minute, one) {
  return [...minute, one].filter(({ at }) => one.at - at < MINUTE * 1000);
}

/** The worst of what was measured in the last seconds, and what it is.
 * @param {readonly Measure[]} minute @returns {Quality | null} null: nothing measured yet */
export function judge(minute) {
  const last = minute.at(-1);
  if (!last) return null;
  const recent = minute.filter(({ at }) => last.at - at < WINDOW * 1000);
  if (recent.slice(-2).every(({ fps }) => fps === 0)) return { level: 0, cause: "image fixe" };
  const [likeliest, ...others] = faults(recent, last).filter(({ level }) => level < 4);
  if (!likeliest) return { level: 4, cause: null };
  return { level: others.reduce((worst, { level }) => (level < worst ? level : worst), likeliest.level), cause: likeliest.cause };
}

/** What is wrong, the likeliest cause first: lost packets make the picture stutter, too little room makes packets lost.
 * @param {readonly Measure[]} recent @param {Measure} last @returns {Quality[]} */
function faults(recent, last) {
  /** @param {(one: Measure) => number} value */
  const mean = (value) => recent.reduce((sum, one) => sum + value(one), 0) / recent.length;
  const [fps, loss, delay, kbits] = [mean((m) => m.fps), mean((m) => m.loss), mean((m) => m.delay), mean((m) => m.kbits)];
  const roundTrip = mean((m) => m.roundTrip ?? 0);
  const poor = fps < FLUID || last.height <= SMALL;
  const freezes = recent.reduce((sum, one) => sum + one.freezes, 0);
  /** @type {Quality} */
  const lost = { level: above(loss, LOSS), cause: `perte de paquets ${Math.max(1, Math.round(loss * 100))} %` };
  /** @type {Quality} */
  const narrow = { level: poor ? below(kbits, KBITS) : 4, cause: `débit du correspondant faible : ${tens(kbits)} kbit/s` };
  return [
    ...(narrow.level <= lost.level ? [narrow, lost] : [lost, narrow]),
    { level: above(roundTrip, ROUND_TRIP), cause: `réseau lent : ${tens(roundTrip)} ms aller-retour` },
    { level: above(delay, DELAY), cause: `réseau irrégulier : image en retard de ${(delay / 1000).toFixed(1).replace(".", ",")} s` },
    { level: freezes > 0 ? 2 : 4, cause: "image saccadée" },
    { level: below(fps, FRAMES), cause: `${Math.round(fps)} images par seconde : téléphone lent ou lieu sombre` },
    { level: /TCP|TLS/.test(last.path) ? 3 : 4, cause: `${last.path} : réseau qui bloque l’UDP` },
  ];
}

/** @param {number} value @returns {number} what moves less from one second to the next */
function tens(value) {
  return Math.max(10, Math.round(value / 10) * 10);
}

/** @param {number} value @param {number[]} limits @returns {1 | 2 | 3 | 4} */
function above(value, limits) {
  return /** @type {1 | 2 | 3 | 4} */ (4 - limits.filter((limit) => value >= limit).length);
}

/** @param {number} value @param {number[]} limits @returns {1 | 2 | 3 | 4} */
function below(value, limits) {
  return /** @type {1 | 2 | 3 | 4} */ (4 - limits.filter((limit) => value < limit).length);
}

/** The facts beside the bars.
 * @param {Measure} last @returns {string} "24 i/s · 640×480 · direct" */
export function facts(last) {
  const size = last.width && last.height ? `${last.width}×${last.height}` : "";
  return [`${Math.round(last.fps)} i/s`, size, last.path].filter(Boolean).join(" · ");
}

/** One column a second of the last minute, the newest last: frames a second; 0 is a gap, null was not measured.
 * @param {readonly Measure[]} minute @returns {(number | null)[]} */
export function columns(minute) {
  /** @type {(number | null)[]} */
  const found = Array.from({ length: MINUTE }, () => null);
  const last = minute.at(-1);
  for (const { at, fps } of last ? minute : []) {
    const place = MINUTE - 1 - Math.round(((last?.at ?? 0) - at) / 1000);
    if (place >= 0) found[place] = Math.min(FULL, fps);
  }
  return found;
}

/** The graph for who does not see it.
 * @param {readonly Measure[]} minute @returns {string} */
export function told(minute) {
  if (minute.length === 0) return "Aucune mesure.";
  const mean = Math.round(minute.reduce((sum, { fps }) => sum + fps, 0) / minute.length);
  const gaps = minute.filter(({ fps }) => fps === 0).length;
  const without = gaps === 0 ? "sans interruption" : `${gaps} s sans image`;
  return `Dernière minute : ${mean} images par seconde en moyenne, ${without}.`;
}

/**
 * The lenses of a phone: pure. What each one is, as far as its label tells; one order in which all of them come; which of
 * them is the main one. Browsers have no word for a lens, only labels, which systems write in the language of the phone:
 * sources and reasons are in docs/adr/0031.
 */

/** @typedef {"rear" | "front" | ""} Side "": nothing tells, such as a USB camera */
/** @typedef {"plain" | "multi" | "wide" | "tele" | "special"} Build multi: several lenses that the system switches itself; wide: ultra-wide; special: depth, infrared, desk view */
/** @typedef {"main" | "rear" | "wide" | "tele" | "front" | "other"} LensWord */
/**
 * @typedef {object} Lens
 * @property {string} id
 * @property {string} label
 * @property {Side} side
 * @property {Build} build
 * @property {number | null} number Android's own number: its rear camera with the lowest one is the main one
 * @property {number | null} pixels the most it gives, where the browser tells
 */
/** @typedef {{deviceId: string, label?: string, getCapabilities?: () => any}} Device */

const REAR = pattern(
  "back|rear|environment|rück(?:seit|kam)|arrière|traser[ao]|posterior|trás\\b|traseira|achterzijde|baksid|bagside|\\bbak\\b|taka|tyln|spate",
  "hátsó|hátold|zadn|stražnj|arka|belakang|darrere|\\bsau\\b|πίσω|задн|тыл|артқы|خلفي|אחורי|后置|後置|后面|後面|背面|背置|후면|หลัง|बैक",
);
const FRONT = pattern(
  "front|vorder|avant|anterior|frente|voorzijde|framsid|forside|foran|etukamera|przedn|fată|față|elülső|předn|prednj|\\bön kamera|davant|depan",
  "\\btrước\\b|facetime|selfie|μπροστ|передн|фронт|алдыңғы|مامي|קדמי|前置|前面|전면|หน้า|फ्रंट",
);
const WIDE = pattern(
  "ultra|super ?angular|\\b0[.,]5 ?x|siêu rộng|εξαιρετικ|υπερευρ|сверхшир|надшир|ультра|فائق|במיוחד|אולטרה|超广角|超廣角|超広角|초광각|울트라",
);
const TELE = pattern("tele|periscop|τηλεφ|телеф|телео|مقرب|تقريب|טלפוטו|长焦|長焦|望遠|망원");
const TRIPLE = pattern("tripl|dreifach|drievoudig|trojit|trojn|üçlü|trzyob|potrojn|тройн|потрійн|ثلاثي|משולש|三[镜鏡摄攝重]|トリプル|트리플");
const DUAL = pattern(
  "dual|doubl|doppi|doble|dubbel|dobbelt|dupla|dublă|dvoj|dvost|çift|dwuob|kettős|kaksois|dwikamera|ganda|\\bkép\\b|διπλή",
  "двойн|здвоєн|подвійн|қос|مزدوج|כפול|双|雙|デュアル|듀얼|คู่|ड्युअल",
);
const SPECIAL = pattern("depth|\\btof\\b|infra-?red|infrarouge|infrarot|\\bir\\b|macro|makro|monochrom|desk ?view|schreibtisch|scrivania|stolní|微距|심도");
const ANDROID = /facing (?:back|front)/;

/** @param {...string} words @returns {RegExp} */
function pattern(...words) {
  return new RegExp(plain(words.join("|")));
}

/** Small letters without their marks, so that "Rückkamera" and "ruckkamera" are one.
 * @param {string} text @returns {string} */
function plain(text) {
  return text.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "").normalize("NFC");
}

/** All lenses in the order in which they come in turn: the main rear one, the front one, the other rear ones, what is left.
 * A system's combination of lenses is none of its own beside them: one is kept, as the main one.
 * @param {readonly Device[]} devices @returns {Lens[]} */
export function lenses(devices) {
  const seen = new Set([""]);
  const all = devices.filter(({ deviceId }) => !seen.has(deviceId) && seen.add(deviceId)).map(read);
  const [main, ...rear] = all.filter(({ side }) => side === "rear").sort(byRank);
  const [front, ...fronts] = all.filter(({ side }) => side === "front").sort(byRank);
  const single = rear.some(({ build }) => build === "plain");
  const others = rear.filter(({ build }) => build !== "multi" || !single);
  const rest = all.filter(({ side }) => side === "").sort(byRank);
  return /** @type {Lens[]} */ ([main, front, ...others, ...fronts, ...rest].filter(Boolean));
}

/** @param {Device} device @returns {Lens} */
function read(device) {
  const label = device.label ?? "";
  const text = plain(label);
  const able = capabilities(device);
  const pixels = able?.width?.max * able?.height?.max || null;
  const number = ANDROID.test(text) ? /\d+/.exec(text.replace(/camera2\b/, "")) : null;
  return { id: device.deviceId, label, side: sideOf(text, able), build: buildOf(text), number: number ? Number(number[0]) : null, pixels };
}

/** @param {Device} device @returns {any} null where the browser does not tell of a camera that is off */
function capabilities(device) {
  try {
    return device.getCapabilities?.() ?? null;
  } catch {
    return null;
  }
}

/** @param {string} text @param {any} able @returns {Side} */
function sideOf(text, able) {
  const told = [able?.facingMode].flat();
  if (told.includes("user")) return "front";
  if (told.includes("environment")) return "rear";
  if (FRONT.test(text)) return "front";
  return REAR.test(text) ? "rear" : "";
}

/** @param {string} text @returns {Build} */
function buildOf(text) {
  if (SPECIAL.test(text)) return "special";
  if (TRIPLE.test(text) || DUAL.test(text)) return "multi";
  if (WIDE.test(text)) return "wide";
  return TELE.test(text) ? "tele" : "plain";
}

const BUILDS = ["multi", "plain", "wide", "tele", "special"];

/** @param {Lens} a @param {Lens} b @returns {number} */
function byRank(a, b) {
  return BUILDS.indexOf(a.build) - BUILDS.indexOf(b.build) || most(b) - most(a) || (a.number ?? 0) - (b.number ?? 0);
}

/** The combination of all three lenses before one of two.
 * @param {Lens} lens @returns {number} */
function most({ build, label }) {
  return Number(build === "multi" && TRIPLE.test(plain(label)));
}

/** The ones to try when another is asked for, best first: those that have not been on in this round, then the others again.
 * One that is dead comes only when nothing else is left.
 * @param {readonly Lens[]} list @param {string} now the lens that is on
 * @param {ReadonlySet<string>} shown those that have been on in this round @param {ReadonlySet<string>} dead
 * @returns {{next: Lens[], again: boolean}} again: all have been on, a new round begins */
export function round(list, now, shown, dead) {
  const at = list.findIndex(({ id }) => id === now);
  const others = [...list.slice(at + 1), ...list.slice(0, Math.max(0, at))];
  const alive = others.filter(({ id }) => !dead.has(id));
  const able = alive.length > 0 ? alive : others;
  const fresh = able.filter(({ id }) => !shown.has(id));
  return { next: [...fresh, ...able.filter(({ id }) => shown.has(id))], again: fresh.length === 0 };
}

/** The main lens, when the browser clearly gave another one for "environment".
 * @param {readonly Lens[]} list @param {string} now @param {boolean} lamp the one that is on has a lamp: main ones do
 * @returns {Lens | null} */
export function better(list, now, lamp) {
  const on = list.find(({ id }) => id === now);
  const [main] = list;
  if (!on || !main || main === on || main.side !== "rear" || !["plain", "multi"].includes(main.build)) return null;
  if (on.side === "front" || (on.side === "rear" && !["plain", "multi"].includes(on.build))) return main;
  const earlier = main.number !== null && on.number !== null && main.number < on.number;
  const coarser = main.pixels !== null && on.pixels !== null && main.pixels < on.pixels;
  return earlier && !coarser && !lamp ? main : null;
}

/** The lens that was on, among those of a page that was loaded again: by its id, or by its label where ids change.
 * @param {readonly Lens[]} list @param {{id: string, label: string}} former @returns {Lens | null} */
export function same(list, { id, label }) {
  return list.find((lens) => lens.id === id) ?? list.find((lens) => lens.label !== "" && lens.label === label) ?? null;
}

/** What the desk is told: how many there are, and which one is on.
 * @param {readonly Lens[]} list @param {string} now
 * @returns {{lens: LensWord | null, place: number | null}} */
export function which(list, now) {
  const at = list.findIndex(({ id }) => id === now);
  const lens = list[at];
  return lens ? { lens: word(lens, at === 0), place: at + 1 } : { lens: null, place: null };
}

/** @param {Lens} lens @param {boolean} first @returns {LensWord} */
function word({ side, build }, first) {
  if (side === "front") return "front";
  if (build === "wide" || build === "tele") return build;
  if (side === "" || build === "special") return "other";
  return first ? "main" : "rear";
}

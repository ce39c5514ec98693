/**
 * What the measurements of the self-test mean: pure. For each step a level, a sentence for whoever sits there, what to do
 * next, and one line for the network's administrator; at the top one verdict.
 */

/** @typedef {"ok" | "watch" | "bad" | "none"} Level none: not tried, or not set up */
/** @typedef {{key: string, title: string, level: Level, words: string, advice: string, it: string, ms: number | null}} Judged */
/** @typedef {Record<string, any>} Facts what one step measured */
/** @typedef {{scheme: string, host: string, port: number, transport: string, key: string}} Server */

/** Every step, in the order of the page. */
export const STEPS = /** @type {const} */ ([
  ["browser", "Navigateur"],
  ["screen", "Écran"],
  ["camera", "Caméra de ce poste"],
  ["socket", "Liaison avec Visio15"],
  ["clock", "Heure de ce poste"],
  ["bandwidth", "Débit"],
  ["stun", "Adresse publique (STUN)"],
  ["turn_udp", "Relais vidéo en UDP"],
  ["turn_tcp", "Relais vidéo en TCP"],
  ["turn_tls", "Relais vidéo en TLS"],
]);
export const RELAYS = Object.freeze(["turn_udp", "turn_tcp", "turn_tls"]);
const TITLES = new Map(/** @type {[string, string][]} */ (STEPS.map(([key, title]) => [key, title])));
const CALL_IT = "Transmettez la ligne ci-dessous au service informatique.";
/** Milliseconds, kbit/s, seconds and pixels from which a person should know. */
export const LIMITS = Object.freeze({ rtt: 300, jitter: 100, down: 1000, up: 300, least: 200, clock: 5, width: 1280, height: 720 });

/** @param {readonly number[]} values @returns {number} the middle one; NaN of none */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (!sorted.length) return NaN;
  return sorted.length % 2 ? /** @type {number} */ (sorted[half]) : (/** @type {number} */ (sorted[half - 1]) + /** @type {number} */ (sorted[half])) / 2;
}

/** @param {readonly number[]} values @returns {number} the mean step from one to the next */
export function jitter(values) {
  const steps = values.slice(1).map((value, index) => Math.abs(value - /** @type {number} */ (values[index])));
  return steps.length ? steps.reduce((sum, each) => sum + each, 0) / steps.length : 0;
}

/** The middle of the quickest exchange is when the server read its clock.
 * @param {readonly {sent: number, back: number, now: number}[]} exchanges in milliseconds since 1970
 * @returns {number} milliseconds to add to this PC's clock */
export function offset(exchanges) {
  const quickest = [...exchanges].sort((a, b) => a.back - a.sent - (b.back - b.sent))[0];
  return quickest ? quickest.now - (quickest.sent + quickest.back) / 2 : NaN;
}

/** @param {string} url of a STUN or TURN server @returns {Server | null} */
export function server(url) {
  const found = /^(stuns?|turns?):(\[[0-9a-fA-F:.]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(\w+))?$/.exec(url);
  if (!found) return null;
  const [, scheme = "", host = "", port, asked] = found;
  const secure = scheme.endsWith("s");
  const transport = secure ? "tls" : (asked ?? "udp").toLowerCase();
  return { scheme, host, port: Number(port ?? (secure ? 5349 : 3478)), transport, key: scheme.startsWith("stun") ? "stun" : `turn_${transport}` };
}

/** The servers of a configuration by step.
 * @param {any} ice @returns {Record<string, {url: string, username?: string, credential?: string}[]>} */
export function plan(ice) {
  /** @type {Record<string, {url: string, username?: string, credential?: string}[]>} */
  const found = {};
  for (const one of ice?.iceServers ?? []) {
    for (const url of [one.urls ?? []].flat()) {
      const key = server(url)?.key;
      if (key) (found[key] ??= []).push({ url, username: one.username, credential: one.credential });
    }
  }
  return found;
}

/** @param {number} value */
const round = (value) => Math.round(value).toLocaleString("fr-FR");
/** @param {number} kbps */
const rate = (kbps) => (kbps >= 1000 ? `${(kbps / 1000).toLocaleString("fr-FR", { maximumFractionDigits: 1 })} Mbit/s` : `${round(kbps)} kbit/s`);
/** @param {string} url @param {string} protocol */
const towards = (url, protocol) => {
  const found = server(url);
  return found ? `${protocol} sortant de ce poste vers ${found.host}:${found.port}` : `${protocol} sortant vers ${url}`;
};

/** The pair that carried it, in the browser's words. @param {Facts} facts */
const chosen = ({ type, protocol, relay_protocol: relay }) => (type ? ` (paire ${type}, ${protocol}` + (relay ? `, ${relay} jusqu’au relais)` : ")") : "");

/** @typedef {Pick<Judged, "level" | "words"> & Partial<Judged>} Part */
/** @type {Record<string, (facts: Facts, all: Record<string, Facts>) => Part>} */
const JUDGES = {
  browser(facts) {
    const name = `${facts.name} ${facts.version}`.trim();
    if (facts.missing?.length) {
      return { level: "bad", words: `${name} ne peut pas montrer la vidéo : il lui manque ${facts.missing.join(", ")}.`,
        advice: "Ouvrez Visio15 dans Chrome, Edge ou Firefox à jour.", it: `Navigateur à jour avec WebRTC, sans stratégie qui le bloque (manque : ${facts.missing.join(", ")}).` };
    }
    const codecs = [facts.h264 && "H264", facts.vp8 && "VP8"].filter(Boolean).join(" et ");
    if (!codecs) {
      return { level: "bad", words: `${name} ne décode aucun des deux formats vidéo des téléphones.`,
        advice: "Ouvrez Visio15 dans Chrome, Edge ou Firefox à jour.", it: "Décodeur H264 ou VP8 absent de WebRTC." };
    }
    if (!facts.h264) {
      return { level: "watch", words: `${name} décode VP8 mais pas H264 : quelques téléphones anciens ne seront pas vus.`,
        advice: CALL_IT, it: "Décodeur H264 absent (paquet OpenH264 de Firefox, ou Chromium sans codecs)." };
    }
    return { level: "ok", words: `${name} convient (${codecs}).` };
  },
  screen(facts) {
    const size = `${facts.width} × ${facts.height}`;
    if (facts.width < LIMITS.width || facts.height < LIMITS.height) {
      return { level: "watch", words: `L’écran montre ${size} points : la page y est à l’étroit.`, advice: "Réduisez le zoom du navigateur (Ctrl et -), ou agrandissez la fenêtre.",
        it: `Écran d’au moins ${LIMITS.width} × ${LIMITS.height} points.` };
    }
    return { level: "ok", words: `${size} points.` };
  },
  camera(facts) {
    if (!facts.tested) return { level: "none", words: "Non testée : elle ne sert que si vous vous montrez." };
    if (facts.error) {
      const words = /** @type {Record<string, string>} */ ({
        NotAllowedError: "Le navigateur refuse la caméra.",
        NotFoundError: "Aucune caméra n’est branchée.",
        NotReadableError: "La caméra est prise par un autre programme.",
      })[facts.error] ?? "La caméra ne répond pas.";
      return { level: "watch", words, advice: "Touchez le cadenas à gauche de l’adresse et autorisez la caméra, ou fermez l’autre programme.", it: `getUserMedia : ${facts.error}.` };
    }
    return { level: "ok", words: `Elle filme en ${facts.width} × ${facts.height}, et elle est éteinte à nouveau.` };
  },
  socket(facts) {
    const it = `WebSocket (${facts.secure ? "wss, TCP" : "ws, TCP"}) vers ${facts.host}, chemin /ws/ : le mandataire et l’antivirus doivent laisser passer Upgrade.`;
    if (facts.error) return { level: "bad", words: "La liaison permanente avec Visio15 ne s’établit pas.", advice: `Sans elle aucune vidéo n’est possible. ${CALL_IT}`, it };
    const rtt = median(facts.rtts ?? []);
    const shake = jitter(facts.rtts ?? []);
    const measured = `Aller et retour ${round(rtt)} ms, variation ${round(shake)} ms.`;
    if (!(rtt <= LIMITS.rtt) || shake > LIMITS.jitter) {
      return { level: "watch", words: `La liaison est lente. ${measured}`, advice: "Fermez les téléchargements, puis recommencez le test.", it: `Latence vers ${facts.host} : médiane ${round(rtt)} ms, gigue ${round(shake)} ms.` };
    }
    return { level: "ok", words: measured };
  },
  clock(facts) {
    const seconds = facts.offset_ms / 1000;
    const words = `${Math.abs(seconds).toLocaleString("fr-FR", { maximumFractionDigits: 1 })} s d’écart avec le serveur.`;
    if (Math.abs(seconds) > LIMITS.clock) {
      return { level: "watch", words: `Ce poste n’est pas à l’heure : ${words}`, advice: CALL_IT, it: `Synchronisation NTP de ce poste (${seconds > 0 ? "il retarde" : "il avance"}).` };
    }
    return { level: "ok", words };
  },
  bandwidth(facts, all) {
    if (facts.error === "selftest_spent") {
      return { level: "watch", words: "Le débit a été mesuré trop souvent.", advice: "Attendez dix minutes, puis recommencez le test.", it: "Limite du serveur : 32 Mo en dix minutes par personne." };
    }
    if (facts.error) return { level: "watch", words: "Le débit n’a pas pu être mesuré.", advice: "Recommencez le test.", it: `Mesure interrompue : ${facts.error}.` };
    const words = `${rate(facts.down_kbps)} en réception, ${rate(facts.up_kbps)} en émission.`;
    const it = `Débit mesuré vers ${all.socket?.host ?? "le serveur"} : ${words}`;
    if (facts.down_kbps < LIMITS.least) return { level: "bad", words: `Trop lent pour la vidéo : ${words}`, advice: `Fermez les téléchargements, puis recommencez. ${CALL_IT}`, it };
    if (facts.down_kbps < LIMITS.down || facts.up_kbps < LIMITS.up) return { level: "watch", words: `Un peu lent : ${words}`, advice: "L’image sera moins nette quand le réseau est chargé.", it };
    return { level: "ok", words };
  },
  stun(facts, all) {
    if (!facts.configured) return { level: "none", words: "Aucun serveur STUN n’est déclaré." };
    if (facts.found === "srflx") return { level: "ok", words: "Adresse publique trouvée." };
    if (facts.found === "direct") return { level: "ok", words: "Ce poste est joignable sans traduction d’adresse." };
    const relayed = RELAYS.some((key) => all[key]?.passed);
    return { level: relayed ? "watch" : "bad", words: "Le serveur STUN ne répond pas.",
      advice: relayed ? "La vidéo passera par le relais." : CALL_IT, it: `${towards(facts.url ?? "", "UDP")} (erreur ${facts.error ?? "aucune réponse"}).` };
  },
  turn_udp: (facts, all) => relay(facts, all, "UDP"),
  turn_tcp: (facts, all) => relay(facts, all, "TCP"),
  turn_tls: (facts, all) => relay(facts, all, "TLS (TCP)"),
};

/** @param {Facts} facts @param {Record<string, Facts>} all @param {string} protocol @returns {Part} */
function relay(facts, all, protocol) {
  if (!facts.configured) return { level: "none", words: "Non déclaré sur ce serveur." };
  if (facts.passed) return { level: "ok", words: `Une image est passée par ce relais${chosen(facts)}.` };
  const others = RELAYS.filter((key) => all[key] !== facts && all[key]?.passed);
  const level = others.length ? "watch" : "bad";
  const names = others.map((key) => key.slice(5).toUpperCase()).join(" ou ");
  const advice = others.length ? `La vidéo passera en ${names}${protocol === "UDP" ? ", moins fluide" : ""}. ${CALL_IT}` : CALL_IT;
  const way = towards(facts.url ?? "", protocol);
  if (facts.error === 401) {
    return { level: "bad", words: "Le relais refuse nos identifiants (401).", advice: CALL_IT,
      it: `${way} : 401, le static-auth-secret de coturn n’est pas le turn_secret de Visio15, ou leurs horloges diffèrent.` };
  }
  if (facts.candidate) {
    return { level, words: "Le relais répond, mais aucune image ne passe.", advice,
      it: `${way} : allocation obtenue, données perdues ; ports min-port à max-port de coturn, et denied-peer-ip.` };
  }
  const code = facts.error ? `erreur ${facts.error}` : "aucune réponse";
  return { level, words: `Le relais ne répond pas en ${protocol}.`, advice, it: `${way} : ${code} ; pare-feu, nom d’hôte, ou coturn arrêté.` };
}

/** @param {string} key @param {Facts | undefined} facts @param {Record<string, Facts>} all @returns {Judged} */
export function judge(key, facts, all) {
  const judged = facts ? JUDGES[key]?.(facts, all) : undefined;
  const ms = typeof facts?.ms === "number" ? Math.round(facts.ms) : null;
  return { key, title: TITLES.get(key) ?? key, level: "none", words: "Non testé.", advice: "", it: "", ms, ...judged };
}

/** @param {Record<string, Facts>} all what each step measured @returns {Judged[]} */
export const judgeAll = (all) => STEPS.map(([key]) => judge(key, all[key], all));

/** @param {readonly Judged[]} judged @returns {{level: "ok" | "watch" | "bad", title: string, line: string}} */
export function verdict(judged) {
  const bad = judged.filter((one) => one.level === "bad");
  const watch = judged.filter((one) => one.level === "watch");
  const relays = judged.filter((one) => RELAYS.includes(one.key) && one.level !== "none");
  const names = (/** @type {readonly Judged[]} */ list) => list.map((one) => one.title.charAt(0).toLowerCase() + one.title.slice(1)).join(", ");
  const line = [...bad, ...watch].map((one) => `${one.key}=${one.level}`).join(" ");
  if (bad.length) return { level: "bad", title: `À corriger : ${names(bad)}.`, line: `à corriger ${line}` };
  if (watch.length) return { level: "watch", title: `Ce poste est prêt, sauf : ${names(watch)}.`, line: `prêt sauf ${line}` };
  if (!relays.length) return { level: "watch", title: "Ce poste est prêt, mais aucun relais vidéo n’est déclaré sur ce serveur.", line: "prêt, sans relais" };
  return { level: "ok", title: "Ce poste est prêt.", line: "prêt" };
}

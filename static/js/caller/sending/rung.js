/** The caller's rung: measures once a second, lets ladder.js decide, and does it: encoder, stills, the request for a photo. */
import { el, get, svg, write } from "../../lib/dom.js";
import { TOP, climb, films, hear, heed, pace, serverTime } from "../../rtc/ladder.js";
import { reading } from "../../rtc/uplink.js";
import { Photo } from "./photo.js";
import { Stills } from "./stills.js";

/** @typedef {import("../../lib/socket.js").Message} Message */
/** @typedef {import("./lower_rungs.js").Phase} Phase */
/** @typedef {import("./lower_rungs.js").LadderHost} LadderHost */
/** @typedef {{silent: boolean, fps: number | null, kbit: number | null, loss: number | null}} Flow */

const SECOND = 1_000;
/** Milliseconds without a byte from a desk after which a connection that calls itself one is none: reports come each second. */
const SILENT = 2_500;
/** Frames a second the camera must give for few sent ones to be the network's fault. */
const DARK = 6;

export class CallerRung {
  #host;
  #ladder = { ...TOP, since: performance.now() };
  /** Desks that wait, by the server's word. @type {Set<string>} */
  #desks = new Set();
  /** Some desk is shown the stills; an observer is not. */
  #looked = true;
  /** @type {{at: number, ahead: number}[]} */
  #ticks = [];
  /** The last reading of each connection. @type {WeakMap<RTCPeerConnection, import("../../rtc/uplink.js").Reading>} */
  #former = new WeakMap();
  /** What each connection brought from its desk, since when that did not change. @type {WeakMap<RTCPeerConnection, {brought: number, at: number}>} */
  #heard = new WeakMap();
  #stills;
  #photo;
  #sign;
  #told = "video";
  #measuring = false;

  /** @param {LadderHost} host */
  constructor(host) {
    this.#host = host;
    this.#sign = sign();
    const time = () => serverTime(this.#ticks, performance.now());
    this.#stills = new Stills(get("self", HTMLVideoElement), { ship: (bytes) => host.socket.ship(bytes), time });
    this.#photo = new Photo({ ...host, time });
    setInterval(() => void this.#beat(), SECOND);
  }

  get quiet() {
    return !films(this.#ladder);
  }

  /** @param {Message} message */
  heard(message) {
    switch (message.type) {
      case "welcome":
        this.#desks = new Set(message.watchers ?? []);
        this.#looked = true;
        this.#stills.forget();
        // The server may have been restarted, or this page loaded again: say where we are.
        this.#told = "";
        break;
      case "watch":
        this.#desks.add(message.peer);
        this.#looked = true;
        break;
      case "unwatch":
        this.#desks.delete(message.peer);
        break;
      case "tick":
        this.#ticks = hear(this.#ticks, Date.parse(message.now), message.heardAt ?? performance.now());
        break;
      case "still.ack":
        this.#stills.acknowledged(message.seq, message.desks);
        if (message.desks === 0) this.#overlooked();
        break;
      case "error":
        if (String(message.code).startsWith("picture_")) this.#stills.forget();
        break;
      case "ladder":
        this.#ladder = heed(this.#ladder, message.rung, performance.now());
        this.#photo.ask(message.rung === "photo");
        this.#act();
        break;
      default:
        break;
    }
  }

  /** Nobody is shown the stills, and who asked for them is gone: whoever is left gets the video as soon as it passes. */
  #overlooked() {
    this.#looked = false;
    this.#ladder = heed(this.#ladder, "auto", performance.now());
  }

  /** @param {Phase} phase */
  drawn(phase) {
    this.#photo.drawn(phase);
    const films = phase.screen === "live" && phase.truth.track === "live";
    // What is left in the preview is the past.
    if (!films) this.#stills.run(null);
    const shown = films && this.#ladder.rung !== "video";
    this.#sign.hidden = !shown;
    get("message", HTMLElement).hidden = shown;
    const seen = this.#ladder.why === "asked" ? "seen" : "stills";
    if (shown) write(get("weak-text", HTMLElement), this.#host.say(this.#stills.seen ? seen : "stills_wait"));
  }

  async #beat() {
    if (this.#measuring || this.#host.phase().screen === "ended") return;
    this.#measuring = true;
    const flows = (await Promise.all(this.#connections.map((pc) => this.#flow(pc)))).filter((flow) => !flow.silent);
    this.#measuring = false;
    this.#ladder = climb(this.#ladder, {
      now: performance.now(),
      wanted: this.#wanted,
      socket: this.#host.socket.state === "open",
      connected: flows.length,
      ...best(flows),
      waits: this.#stills.waits,
      acks: this.#stills.taken(),
    });
    this.#act();
  }

  /** The picture is meant to flow: what does not is the network's. */
  get #wanted() {
    const { screen, truth } = this.#host.phase();
    return screen === "live" && truth.track === "live" && !document.hidden && this.#desks.size > 0;
  }

  get #connections() {
    return this.#host.peers.each.filter((peer) => peer.connected).map((peer) => peer.pc);
  }

  #act() {
    const { rung, why } = this.#ladder;
    this.#film(films(this.#ladder));
    const worth = this.#looked || rung === "photo";
    this.#stills.run(this.#wanted && worth && !this.#photo.busy ? pace(this.#ladder) : null);
    this.#photo.need(rung === "photo");
    if (rung !== this.#told) {
      this.#host.socket.forget((message) => message.type === "ladder");
      this.#host.socket.send({ type: "ladder", rung, why: why || "recovered" });
      this.#told = rung;
    }
    this.drawn(this.#host.phase());
  }

  /** Let the encoders run, or keep them off the uplink; the connections stay.
   * @param {boolean} on */
  #film(on) {
    for (const peer of this.#host.peers.each) {
      void peer.enqueue(async () => {
        const sender = peer.pc.getTransceivers()[0]?.sender;
        const parameters = sender?.getParameters();
        const [encoding] = parameters?.encodings ?? [];
        if (!sender || !parameters || !encoding || (encoding.active ?? true) === on) return;
        encoding.active = on;
        // Refused while a description is being applied: the next second asks again.
        await sender.setParameters(parameters).catch(() => undefined);
      });
    }
  }

  /** @param {RTCPeerConnection} pc @returns {Promise<Flow>} */
  async #flow(pc) {
    const stats = await pc.getStats().catch(() => null);
    if (!stats) return { silent: false, fps: null, kbit: null, loss: null };
    const rows = [...stats.values()];
    const now = reading(this.#former.get(pc) ?? null, rows, performance.now());
    this.#former.set(pc, now);
    const brought = rows.reduce((sum, row) => sum + (row.type === "candidate-pair" ? (row.bytesReceived ?? 0) + (row.responsesReceived ?? 0) : 0), 0);
    const silent = !this.quiet && this.#silence(pc, brought) > SILENT;
    // A camera in the dark, or a phone that is too slow, gives few frames on any network.
    const few = rows.some((row) => row.type === "media-source" && row.kind === "video" && row.framesPerSecond < DARK);
    const told = now.fresh && !few && now.limited !== "cpu";
    return { silent, fps: told ? now.frames : null, kbit: now.available, loss: now.loss };
  }

  /** Milliseconds since the last byte of this desk.
   * @param {RTCPeerConnection} pc @param {number} brought @returns {number} */
  #silence(pc, brought) {
    const now = performance.now();
    const former = this.#heard.get(pc);
    if (!former || former.brought !== brought || brought === 0) this.#heard.set(pc, { brought, at: now });
    return now - (this.#heard.get(pc)?.at ?? now);
  }
}

/** The flow of the desk that gets most.
 * @param {Flow[]} flows @returns {Flow} */
function best(flows) {
  return flows.reduce((one, other) => ((other.fps ?? -1) > (one.fps ?? -1) ? other : one), flows[0] ?? { silent: false, fps: null, kbit: null, loss: null });
}

/** The sign of a weak network, in the place of the usual sentence: bars of which one is full, and words. */
function sign() {
  const bar = (/** @type {number} */ n) => svg("path", { d: `M${4 + n * 5} 20v-${4 + n * 4}`, ...(n ? { opacity: "0.4" } : {}) });
  const bars = svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, bar(0), bar(1), bar(2), bar(3));
  const made = el("p", { class: "seen weak", id: "weak", role: "status", hidden: true }, bars, el("span", { id: "weak-text" }));
  get("message", HTMLElement).after(made);
  return made;
}

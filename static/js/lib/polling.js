/**
 * Where pages load and no socket comes up: the same messages by requests (docs/adr/0029). Loaded by a page whose socket
 * is late, and by no other.
 */
import { meta } from "./dom.js";

/** @typedef {import("./socket.js").Wire} Wire */
/** @typedef {import("./socket.js").Clock} Clock */
/** @typedef {(url: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>, signal: AbortSignal) => Promise<{status: number, json(): Promise<any>}>} Ask */

/** Milliseconds after which an answer is taken for lost: there is a tick every five seconds. */
const DEADLINE = 8_000;
/** How often a request is made again, and the pause before it in milliseconds. */
const RETRIES = 3;
const PAUSE = 300;
/** What one request carries: the server takes 64 frames and three times 64 kB, quotes escaped. */
const MOST_FRAMES = 50;
const MOST_SIGNS = 60_000;
/** Refusals of the caller's link itself, after which no other request helps. */
const FINAL = /^(link_|open_|session_)/;
const LOST = 1006;

/** What a WebSocket is to a socket of ours, by requests. @implements {Wire} */
export class Polling {
  polled = true;
  binaryType = "";
  readyState = 0;
  /** @type {((event: any) => void) | null} */
  onopen = null;
  /** @type {((event: any) => void) | null} */
  onmessage = null;
  /** @type {((event: any) => void) | null} */
  onclose = null;
  /** @type {((event: any) => void) | null} */
  onerror = null;
  #url;
  #ask;
  /** Frames that the server has not said to have. @type {(string | Uint8Array<ArrayBuffer>)[]} */
  #queue = [];
  /** Number of the first of them. */
  #first = 0;
  /** Frames of the server that are here. */
  #seen = 0;
  #sending = false;
  /** Whether the request on its way says that there is nothing more. */
  #goodbye = false;
  /** The request that waits for frames. @type {AbortController | null} */
  #waiting = null;

  /** @param {string} url where lines are opened @param {Ask} [ask] */
  constructor(url, ask = request) {
    this.#url = url;
    this.#ask = ask;
    void this.#open();
  }

  get bufferedAmount() {
    return this.#queue.length;
  }

  /** @param {string | Uint8Array<ArrayBuffer>} data */
  send(data) {
    this.#queue.push(data);
    void this.#pump();
  }

  /** What was sent before still leaves. */
  close() {
    if (this.readyState > 1) return;
    const opened = this.readyState === 1;
    this.readyState = 2;
    this.#waiting?.abort();
    if (opened) void this.#pump();
  }

  async #open() {
    const { status, body } = await this.#post("", "{}");
    if (status !== 200 || typeof body.wire !== "string") {
      const code = String(body?.error?.code ?? "");
      this.#end(FINAL.test(code) ? 4000 + status : LOST, code);
      return;
    }
    this.#url += `/${body.wire}`;
    if (this.readyState === 2) {
      void this.#pump();
      return;
    }
    this.readyState = 1;
    this.onopen?.({});
    await this.#listen();
  }

  async #listen() {
    let failed = 0;
    while (this.readyState === 1) {
      this.#waiting = new AbortController();
      const { status, body } = await this.#post("/down", JSON.stringify({ seen: this.#seen }), {}, this.#waiting);
      if (status === 0 && failed < RETRIES) {
        failed += 1;
        await pause(failed);
        continue;
      }
      if (status !== 200 || !Array.isArray(body.frames)) {
        this.#end(LOST);
        return;
      }
      failed = 0;
      this.#received(body);
    }
  }

  /** @param {{first: number, frames: string[], closed?: {code: number, reason: string}}} answer */
  #received({ first, frames, closed }) {
    frames.forEach((data, index) => {
      if (first + index !== this.#seen) return;
      this.#seen += 1;
      this.onmessage?.({ data });
    });
    if (closed) this.#end(closed.code, closed.reason);
  }

  /** Send what waits, in order, one request at a time. */
  async #pump() {
    if (this.#sending || this.readyState === 0 || this.readyState === 3) return;
    this.#sending = true;
    await null; // several frames of one moment go together
    let failed = 0;
    while (this.readyState < 3 && (this.#queue.length > 0 || this.readyState === 2)) {
      const { status, body } = await this.#up();
      if (status === 0 && failed < RETRIES) {
        failed += 1;
        await pause(failed);
        continue;
      }
      if (status !== 200 || typeof body.taken !== "number") {
        this.#end(LOST);
        break;
      }
      failed = 0;
      this.#queue.splice(0, body.taken - this.#first);
      const more = body.taken > this.#first;
      this.#first = body.taken;
      if (this.#goodbye) this.readyState = 3;
      if (!more) break; // the line is closed: the request that waits says why
    }
    this.#sending = false;
  }

  #up() {
    const [head] = this.#queue;
    if (head instanceof Uint8Array) {
      return this.#post("/up", head, { "Content-Type": "application/octet-stream", "X-Visio15-Frame": String(this.#first) });
    }
    const frames = [];
    let signs = 0;
    for (const frame of this.#queue) {
      if (typeof frame !== "string" || frames.length === MOST_FRAMES) break;
      signs += frame.length;
      if (frames.length > 0 && signs > MOST_SIGNS) break;
      frames.push(frame);
    }
    const close = this.readyState === 2 && frames.length === this.#queue.length;
    this.#goodbye = close;
    return this.#post("/up", JSON.stringify({ first: this.#first, frames, close }));
  }

  /** @param {string} path @param {string | Uint8Array<ArrayBuffer>} body @param {Record<string, string>} [headers]
   * @param {AbortController} [stop] @returns {Promise<{status: number, body: any}>} status 0: no answer of our server */
  async #post(path, body, headers = {}, stop = new AbortController()) {
    const timer = setTimeout(() => stop.abort(), DEADLINE);
    try {
      const answer = await this.#ask(this.#url + path, body, headers, stop.signal);
      const said = await answer.json();
      return said && typeof said === "object" ? { status: answer.status, body: said } : { status: 0, body: null };
    } catch {
      return { status: 0, body: null };
    } finally {
      clearTimeout(timer);
    }
  }

  /** @param {number} code @param {string} [reason] */
  #end(code, reason = "") {
    if (this.readyState === 3) return;
    const told = this.readyState < 2;
    this.readyState = 3;
    if (told) this.onclose?.({ code, reason });
  }
}

/** @param {number} failed @returns {Promise<void>} */
function pause(failed) {
  return new Promise((resolve) => setTimeout(resolve, PAUSE * 2 ** failed));
}

/** @type {Ask} */
function request(url, body, headers, signal) {
  return fetch(url, {
    method: "POST",
    credentials: "same-origin",
    keepalive: document.hidden, // the last words of a page that goes
    headers: { "X-Xsrftoken": meta("xsrf"), "Content-Type": "application/json", Accept: "application/json", ...headers },
    body,
    signal,
  });
}

/** Milliseconds before a socket is tried again: twice as long each time. */
export const PROBE = Object.freeze({ first: 5_000, most: 300_000, patience: 3_000 });

/** The socket is late: pages come through, so may requests.
 * @param {import("./socket.js").Socket} socket @param {string} url where lines by requests are opened */
export function goAround(socket, url) {
  socket.detour ??= new Detour(socket, { socket: () => new WebSocket(socket.options.url), requests: () => new Polling(url) });
  socket.detour.late();
}

/**
 * Which way is taken: requests when no socket is answered and they are, the socket again when one comes up. A trial
 * socket counts only once it has brought a message: some networks open it and let nothing through.
 */
export class Detour {
  #socket;
  #make;
  #clock;
  #requests = false;
  /** A line by requests that is not open yet. @type {Wire | null} */
  #trial = null;
  /** The socket that is tried. @type {Wire | null} */
  #probing = null;
  /** @type {number} */
  #wait = PROBE.first;
  /** @type {any} */
  #timer = null;

  /** @param {import("./socket.js").Socket} socket @param {{socket: () => Wire, requests: () => Wire}} make @param {Clock} [clock] */
  constructor(socket, make, clock = socket.clock) {
    this.#socket = socket;
    this.#make = make;
    this.#clock = clock;
    socket.options.open = () => (this.#requests ? make.requests() : make.socket());
  }

  /** Nothing has answered for a while, or twice. */
  late() {
    if (this.#requests) {
      // They fail as well: each has its turn until one is answered.
      this.#take(false);
      return;
    }
    if (this.#trial) return;
    this.#clock.clearTimeout(this.#timer);
    const trial = this.#make.requests();
    this.#trial = trial;
    trial.onclose = ({ code }) => {
      if (this.#trial !== trial) return;
      this.#trial = null;
      if (code > LOST) {
        // The caller's link itself is refused: the page is to hear it as from a socket.
        this.#take(true);
        this.#socket.renew();
      } else {
        this.#timer = this.#clock.setTimeout(() => this.#again(), PROBE.patience);
      }
    };
    trial.onopen = () => {
      if (this.#trial !== trial) return;
      this.#trial = null;
      if (this.#socket.answered || this.#socket.state === "stopped") {
        trial.close(); // the socket came up meanwhile, or all is over
        return;
      }
      this.#take(true);
      this.#socket.took ??= false; // tried in vain
      this.#socket.adopt(trial);
    };
  }

  #again() {
    if (this.#socket.state !== "stopped" && !this.#socket.answered && !this.#requests) this.late();
  }

  /** The phone is on another network: what the former one let through says nothing. */
  reset() {
    this.#trial?.close();
    this.#trial = null;
    this.#wait = PROBE.first;
    this.#take(false);
  }

  /** @param {boolean} requests */
  #take(requests) {
    this.#requests = requests;
    this.#clock.clearTimeout(this.#timer);
    this.#leave();
    if (requests) this.#later();
  }

  #later() {
    this.#timer = this.#clock.setTimeout(() => this.#probe(), this.#wait);
  }

  /** Some browsers shake one hand a server at a time: a socket that hangs keeps all others waiting. */
  #leave() {
    const probe = this.#probing;
    this.#probing = null;
    if (!probe) return;
    probe.onmessage = probe.onclose = null;
    probe.close();
  }

  #probe() {
    if (this.#socket.state === "stopped") return;
    this.#wait = Math.min(2 * this.#wait, PROBE.most);
    const probe = this.#make.socket();
    const begun = this.#clock.now();
    this.#probing = probe;
    const failed = () => {
      this.#clock.clearTimeout(this.#timer);
      this.#leave();
      this.#later();
    };
    this.#timer = this.#clock.setTimeout(failed, PROBE.patience);
    probe.onclose = failed;
    probe.onmessage = () => {
      if (this.#socket.state === "stopped") {
        this.#leave();
        return;
      }
      this.#probing = null;
      this.#take(false);
      this.#socket.took = this.#clock.now() - begun;
      this.#socket.adopt(probe);
    };
  }
}

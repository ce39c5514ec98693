/**
 * A socket that a page can forget about for twelve hours: it comes back by itself, says `hello` each
 * time, notices silence, and keeps every command until the server has said that it is durable.
 */

/** Milliseconds without any message after which a socket is taken for dead (the server ticks every 5 s). */
export const SILENCE = 12_000;
/** Shortest and longest pause before a new attempt, in milliseconds. */
export const BACKOFF = Object.freeze({ first: 300, most: 5_000 });
/** How often a socket opened ahead is replaced: the server closes one after ten seconds without a word. */
export const KEPT_WARM = 30;
/** Milliseconds a hello may wait for its answer. */
export const PATIENCE = 2_000;
/** Undelivered signalling kept during a cut: beyond it the oldest goes first. */
const KEPT = 256;

/** @typedef {{type: string, [field: string]: any}} Message */
/** @typedef {"connecting" | "open" | "waiting" | "stopped"} SocketState */
/** @typedef {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(t: any): void}} Clock */
/**
 * @typedef {object} Wire What is used of a WebSocket.
 * @property {number} readyState
 * @property {((event: any) => void) | null} onopen
 * @property {((event: any) => void) | null} onmessage
 * @property {((event: any) => void) | null} onclose
 * @property {((event: any) => void) | null} onerror
 * @property {number} [readyState]
 * @property {(data: string | Uint8Array<ArrayBuffer>) => void} send
 * @property {string} [binaryType]
 * @property {number} [bufferedAmount]
 * @property {boolean} [polled] by requests
 * @property {(code?: number) => void} close
 */
/**
 * @typedef {object} SocketOptions
 * @property {string} url
 * @property {() => Message} hello first frame of every connection
 * @property {(message: Message) => void} onMessage everything but the answers to commands
 * @property {(data: ArrayBuffer) => void} [onBytes] binary frames
 * @property {(state: SocketState, code: number, reason: string) => void} [onState] code and reason of the close
 * @property {() => void} [onLate] nothing answers
 * @property {readonly number[]} [fatal] close codes after which no attempt is made
 * @property {(url: string) => Wire} [open]
 * @property {Clock} [clock]
 * @property {() => number} [random] in [0, 1)
 */

/** WebSocket.readyState */
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

/** A refusal by the server, with its stable code. */
export class Refused extends Error {
  /** @param {Message} message */
  constructor(message) {
    super(String(message.message ?? ""));
    this.name = "Refused";
    /** @type {string} */
    this.code = String(message.code ?? "unknown");
    /** @type {string | undefined} */
    this.say = message.say;
    /** @type {string | undefined} */
    this.field = message.field;
    /** The whole answer: some refusals name what is in the way. */
    this.answer = message;
  }
}

/** Pause before attempt number `attempt` (0 for the first one), with jitter between half and the whole.
 * @param {number} attempt @param {number} chance in [0, 1) @returns {number} milliseconds */
export function pause(attempt, chance) {
  const whole = Math.min(BACKOFF.most, BACKOFF.first * 2 ** attempt);
  return Math.max(BACKOFF.first, whole * (0.5 + chance / 2));
}

/** An identifier nobody can guess; works on insecure pages too, where `randomUUID` is missing.
 * @returns {string} 32 hexadecimal digits */
export function mint() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
}

/** Socket address of a path on this very host.
 * @param {string} path @param {string} [base] @returns {string} */
export function address(path, base = location.href) {
  const url = new URL(path, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** @type {Clock} */
const CLOCK = {
  now: () => Date.now(),
  setTimeout: (f, ms) => globalThis.setTimeout(f, ms),
  clearTimeout: (t) => globalThis.clearTimeout(t),
};

export class Socket {
  /** @param {SocketOptions} options */
  constructor(options) {
    this.options = options;
    this.clock = options.clock ?? CLOCK;
    this.random = options.random ?? Math.random;
    /** @type {SocketState} */
    this.state = "stopped";
    /** @type {Wire | null} */
    this.wire = null;
    /** @type {Wire | null} */
    this.spare = null;
    this.attempt = 0;
    this.warmed = 0;
    this.heard = 0;
    this.asked = 0;
    /** The hello was. */
    this.answered = false;
    /** @type {any} */
    this.late = null;
    /** @type {import("./polling.js").Detour | null} */
    this.detour = null;
    /** Milliseconds the first handshake took. @type {number | false | null} */
    this.took = null;
    /** @type {any} */
    this.timer = null;
    /** @type {any} */
    this.watchdog = null;
    /** @type {Map<string, {message: Message, resolve: (result: any) => void, reject: (error: Error) => void}>} */
    this.pending = new Map();
    /** @type {Message[]} */
    this.kept = [];
  }

  /** Open the wire ahead of `start`, without a word: the handshake is then no part of anybody's waiting. */
  warm() {
    if (this.state !== "stopped" || this.spare) return;
    const spare = this.#open();
    this.spare = spare;
    spare.onopen = () => this.#timed();
    spare.onclose = () => this.#cooled(spare);
  }

  /** The server closed it, as it does with everybody who says nothing: another is ready when the caller taps.
   * @param {Wire} spare */
  #cooled(spare) {
    if (this.spare !== spare) return;
    this.spare = null;
    this.warmed += 1;
    if (this.warmed < KEPT_WARM) this.timer = this.clock.setTimeout(() => this.warm(), BACKOFF.first);
  }

  start() {
    if (this.state === "stopped") this.#connect();
  }

  /** Close for good; `start` opens again. */
  stop() {
    this.#drop();
    const { spare } = this;
    this.spare = null;
    spare?.close();
    this.clock.clearTimeout(this.timer);
    this.#calm();
    this.#enter("stopped", 1000);
  }

  /** The network or the page came back: do not wait for the timer. */
  nudge() {
    if (this.state === "waiting") this.#connect();
    else if (this.state === "open" && this.clock.now() - this.heard > SILENCE) this.#lost(4000);
  }

  /** The phone is on another network: a socket of the former one is dead and does not know it. Open another at once. */
  renew() {
    if (this.state === "stopped") {
      if (!this.spare) return;
      this.spare.close();
      this.spare = null;
      this.warm();
      return;
    }
    this.attempt = 0;
    this.adopt(null);
  }

  /** @param {Wire | null} wire to go on over */
  adopt(wire) {
    this.#calm();
    this.#drop();
    this.spare = wire;
    this.#connect();
  }

  /** Send a command and keep it until the server answers; the id is minted once, repeated sends are harmless.
   * @param {Message} message @returns {Promise<any>} the result of `done` */
  command(message) {
    const whole = { ...message, id: message.id ?? mint() };
    return new Promise((resolve, reject) => {
      this.pending.set(whole.id, { message: whole, resolve, reject });
      if (this.state === "open") this.#write(whole);
    });
  }

  /** Send now, or after the next `hello`; until one is answered, both.
   * @param {Message} message */
  send(message) {
    if (this.state === "open" && this.#write(message) && this.answered) return;
    this.kept.push(message);
    if (this.kept.length > KEPT) this.kept.shift();
  }

  /** Send now or never: for what the next report replaces.
   * @param {Message} message */
  offer(message) {
    if (this.state === "open") this.#write(message);
  }

  /** Send these bytes now or never; not when earlier ones still wait to leave this device.
   * @param {Uint8Array<ArrayBuffer>} bytes @returns {boolean} whether the socket took them */
  ship(bytes) {
    if (this.state !== "open" || this.wire?.readyState !== OPEN || (this.wire.bufferedAmount ?? 0) > 0) return false;
    this.wire.send(bytes);
    return true;
  }

  /** Forget what was kept for later and matches.
   * @param {(message: Message) => boolean} matches */
  forget(matches) {
    this.kept = this.kept.filter((message) => !matches(message));
  }

  #connect() {
    this.clock.clearTimeout(this.timer);
    this.#enter("connecting", 0);
    const { spare } = this;
    this.spare = null;
    const wire = spare && (spare.readyState ?? CLOSED) < CLOSING ? spare : this.#open();
    this.wire = wire;
    this.late ??= this.clock.setTimeout(() => this.#tooLate(), PATIENCE - (wire.readyState === OPEN ? 0 : this.clock.now() - this.asked));
    wire.binaryType = "arraybuffer";
    this.#guard();
    wire.onopen = () => {
      if (wire === this.wire) this.#opened();
    };
    wire.onmessage = (/** @type {MessageEvent} */ event) => {
      if (wire === this.wire) this.#received(event.data);
    };
    wire.onclose = (/** @type {CloseEvent} */ event) => {
      if (wire === this.wire) this.#lost(event.code, event.reason);
    };
    wire.onerror = null;
    if (wire.readyState === OPEN) this.#opened();
  }

  #timed() {
    if (!this.wire?.polled) this.took ??= this.clock.now() - this.asked;
  }

  /** @returns {Wire} */
  #open() {
    this.asked = this.clock.now();
    return (this.options.open ?? ((url) => new WebSocket(url)))(this.options.url);
  }

  #opened() {
    this.#timed();
    this.heard = this.clock.now();
    this.#guard();
    this.#write(this.options.hello());
    this.#enter("open", 0);
    const kept = this.kept;
    this.kept = [];
    for (const message of kept) this.send(message);
    for (const { message } of [...this.pending.values()]) this.#write(message);
  }

  /** @param {string | ArrayBuffer} data */
  #received(data) {
    this.heard = this.clock.now();
    this.attempt = 0;
    this.#guard();
    if (typeof data !== "string") {
      this.options.onBytes?.(data);
      return;
    }
    const message = parse(data);
    if (!message) return;
    if (message.type !== "tick" && !this.answered) {
      this.answered = true;
      this.kept = [];
      this.#calm();
    }
    const waiting = typeof message.id === "string" ? this.pending.get(message.id) : undefined;
    if (waiting && (message.type === "done" || message.type === "error")) {
      this.pending.delete(waiting.message.id);
      if (message.type === "done") waiting.resolve(message.result ?? {});
      else waiting.reject(new Refused(message));
      return;
    }
    this.options.onMessage(message);
  }

  /** @param {number} code @param {string} [reason] */
  #lost(code, reason = "") {
    this.#drop();
    if (this.options.fatal?.includes(code)) {
      this.#calm();
      this.#enter("stopped", code, reason);
      return;
    }
    this.timer = this.clock.setTimeout(() => this.#connect(), pause(this.attempt, this.random()));
    this.attempt += 1;
    this.#enter("waiting", code, reason);
    if (this.attempt > 1) this.#tooLate();
  }

  #calm() {
    this.clock.clearTimeout(this.late);
    this.late = null;
  }

  #tooLate() {
    this.#calm();
    if (this.detour) this.detour.late();
    else this.options.onLate?.();
  }

  #drop() {
    this.clock.clearTimeout(this.watchdog);
    const wire = this.wire;
    this.wire = null;
    this.answered = false;
    if (!wire) return;
    wire.onopen = wire.onmessage = wire.onclose = null;
    wire.close();
  }

  #guard() {
    this.clock.clearTimeout(this.watchdog);
    this.watchdog = this.clock.setTimeout(() => this.#lost(4000), SILENCE);
  }

  /** @param {Message} message @returns {boolean} whether the socket took it */
  #write(message) {
    if (this.wire?.readyState !== 1) return false;
    this.wire.send(JSON.stringify(message));
    return true;
  }

  /** @param {SocketState} state @param {number} code @param {string} [reason] */
  #enter(state, code, reason = "") {
    this.state = state;
    this.options.onState?.(state, code, reason);
  }
}

/** @param {string} text @returns {Message | null} */
function parse(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value.type === "string" ? value : null;
  } catch {
    return null;
  }
}

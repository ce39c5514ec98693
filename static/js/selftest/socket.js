/** The self-test's own socket: there and back, both rates, the server's clock; it does not come back by itself. */

/** @typedef {import("./verdict.js").Facts} Facts */

const PATIENCE = 8_000;
const PINGS = 10;
/** Bytes of a frame, frames under way at once, and the most bytes and milliseconds of one direction: all of it in a second
 * stays below the hundred frames that the server takes for a flood. */
const FRAME = 49_152;
const AHEAD = 8;
const MOST = 1_500_000;
const LONGEST = 4_000;

export class TestSocket {
  /** @param {string} url */
  constructor(url) {
    this.url = url;
    /** @type {Map<string, (message: any) => void>} */
    this.waiting = new Map();
    /** @type {(reason: Error) => void} */
    this.fail = () => undefined;
    this.n = 0;
    /** Why the server ended it, if it did. */
    this.reason = "";
    this.failed = new Promise((_, reject) => {
      this.fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  /** @returns {Promise<any>} the server's `ready` */
  async open() {
    const wire = new WebSocket(this.url);
    this.wire = wire;
    wire.onopen = () => wire.send(JSON.stringify({ type: "hello" }));
    wire.onclose = (event) => {
      this.reason = event.reason;
      this.fail(new Error(event.reason || `closed ${event.code}`));
    };
    wire.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    return this.#answer("ready");
  }

  close() {
    if (this.wire) this.wire.onclose = null;
    this.wire?.close();
  }

  /** @param {any} message */
  #heard(message) {
    if (message.type === "error") this.fail(new Error(message.code));
    const key = message.n === undefined ? message.type : `${message.type} ${message.n}`;
    this.waiting.get(key)?.(message);
    this.waiting.delete(key);
  }

  /** @param {string} key @returns {Promise<any>} */
  #answer(key) {
    const heard = new Promise((resolve, reject) => {
      this.waiting.set(key, resolve);
      setTimeout(() => reject(new Error("timeout")), PATIENCE);
    });
    return Promise.race([heard, this.failed]);
  }

  /** @param {string} type @param {string} back @param {Record<string, any>} more @returns {Promise<any>} */
  #ask(type, back, more = {}) {
    this.n += 1;
    const answer = this.#answer(`${back} ${this.n}`);
    this.wire?.send(JSON.stringify({ type, n: this.n, ...more }));
    return answer;
  }

  /** @returns {Promise<{rtts: number[], exchanges: {sent: number, back: number, now: number}[]}>} */
  async ping() {
    const rtts = [];
    const exchanges = [];
    for (let n = 0; n < PINGS; n += 1) {
      const sent = Date.now();
      const begun = performance.now();
      const { now } = await this.#ask("ping", "pong");
      const took = performance.now() - begun;
      rtts.push(Math.round(took * 10) / 10);
      exchanges.push({ sent, back: sent + took, now: Date.parse(now) });
    }
    return { rtts, exchanges };
  }

  /** @returns {Promise<Facts>} */
  async rates() {
    const zeros = "0".repeat(FRAME);
    const down = await this.#rate(() => this.#ask("down", "fill", { size: FRAME }));
    const up = await this.#rate(() => this.#ask("up", "got", { data: zeros }));
    return { down_kbps: down, up_kbps: up };
  }

  /** Keep some frames under way until enough passed, or long enough.
   * @param {() => Promise<any>} ask @returns {Promise<number>} kbit/s */
  async #rate(ask) {
    const begun = performance.now();
    let asked = 0;
    let passed = 0;
    const one = async () => {
      while (asked < MOST && performance.now() - begun < LONGEST) {
        asked += FRAME;
        await ask();
        passed += FRAME;
      }
    };
    await Promise.all(Array.from({ length: AHEAD }, one));
    return Math.round((passed * 8) / (performance.now() - begun));
  }
}

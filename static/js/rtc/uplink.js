/**
 * What really leaves the phone, second by second: one sampler, read by whoever adapts to the network (adapt.js, and the
 * ladder of stills). The arithmetic is pure; `Uplink` only asks the connections for their statistics.
 */

/**
 * @typedef {object} Reading one connection, over the time since the former reading
 * @property {number} at milliseconds
 * @property {number} bytes sent so far, headers included
 * @property {number} sent frames sent so far
 * @property {number} kbits sent a second
 * @property {number} frames sent a second
 * @property {number | null} available kbit/s the browser thinks the network takes; null when it does not tell
 * @property {number | null} loss share of packets the far end missed, 0 to 1; null when it did not say
 * @property {number | null} rtt milliseconds there and back
 * @property {string} limited what holds the encoder back: "none", "bandwidth", "cpu", "other"
 * @property {boolean} fresh there is a former reading, so that the rates mean something
 * @property {number} heard bytes that came back so far: a far end that gets a picture always answers
 * @property {number} heardAt when they last grew
 * @property {number} deaf milliseconds for which frames have left and nothing has come back
 */
/** @typedef {{connectionState: string, getStats(): Promise<Iterable<[string, any]> & {values(): Iterable<any>}>}} Connection */

/** The pair of addresses in use: some browsers name it, some mark it.
 * @param {any[]} rows @returns {any} */
export function pairInUse(rows) {
  const named = rows.find((row) => row.type === "transport" && row.selectedCandidatePairId)?.selectedCandidatePairId;
  return rows.find((row) => row.type === "candidate-pair" && (named ? row.id === named : row.selected || (row.nominated && row.state === "succeeded")));
}

/** Fold the statistics of one connection in. Pure.
 * @param {Readonly<Reading> | null} former @param {Iterable<any>} statistics @param {number} at milliseconds
 * @returns {Reading} */
export function reading(former, statistics, at) {
  const rows = [...statistics];
  const out = rows.filter((row) => row.type === "outbound-rtp" && row.kind === "video");
  const far = rows.find((row) => row.type === "remote-inbound-rtp" && row.kind === "video");
  const pair = pairInUse(rows);
  const bytes = sum(out.map((row) => (row.bytesSent ?? 0) + (row.headerBytesSent ?? 0)));
  const sent = sum(out.map((row) => row.framesSent ?? row.framesEncoded ?? 0));
  const seconds = former ? (at - former.at) / 1000 : 0;
  const fresh = former !== null && seconds > 0 && bytes >= former.bytes && sent >= former.sent;
  const rtt = far?.roundTripTime ?? pair?.currentRoundTripTime;
  const heard = rows.find((row) => row.type === "transport")?.bytesReceived ?? pair?.bytesReceived ?? 0;
  const waits = fresh && sent > former.sent && heard === former.heard;
  const heardAt = waits ? former.heardAt : at;
  return {
    at,
    bytes,
    sent,
    fresh,
    heard,
    heardAt,
    deaf: at - heardAt,
    kbits: fresh ? Math.round(((bytes - former.bytes) * 8) / 1000 / seconds) : 0,
    frames: fresh ? Math.round(((sent - former.sent) / seconds) * 10) / 10 : 0,
    available: pair?.availableOutgoingBitrate ? Math.round(pair.availableOutgoingBitrate / 1000) : null,
    loss: typeof far?.fractionLost === "number" ? far.fractionLost : null,
    rtt: typeof rtt === "number" ? Math.round(rtt * 1000) : null,
    limited: out.map((row) => row.qualityLimitationReason).find((reason) => reason && reason !== "none") ?? "none",
  };
}

/** Keeps the former reading of each connection. */
export class Uplink {
  /** @type {WeakMap<Connection, Reading>} */
  #former = new WeakMap();

  /** Read every connection once; call it about once a second.
   * @param {Iterable<{pc: Connection}>} peers
   * @returns {Promise<Map<{pc: Connection}, Reading>>} those that could be read */
  async sample(peers) {
    /** @type {Map<{pc: Connection}, Reading>} */
    const each = new Map();
    await Promise.all([...peers].map(async (peer) => {
      const one = await this.#read(peer.pc);
      if (one) each.set(peer, one);
    }));
    return each;
  }

  /** @param {Connection} pc @returns {Promise<Reading | null>} */
  async #read(pc) {
    const report = await pc.getStats().catch(() => null);
    if (!report) return null;
    const now = reading(this.#former.get(pc) ?? null, report.values(), performance.now());
    this.#former.set(pc, now);
    return now;
  }
}

/** @param {number[]} values */
function sum(values) {
  return values.reduce((whole, value) => whole + value, 0);
}

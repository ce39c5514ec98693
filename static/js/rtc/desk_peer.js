/** The desk's end of one picture: it answers, and leaves out of its answer what its browser does not decode. */
import { Peer } from "./peer.js";
import { generation, origin, silent } from "./sdp.js";

/** What comes beside a picture and is none. */
const REPAIRS = new Set(["video/rtx", "video/red", "video/ulpfec", "video/flexfec-03"]);
/** @type {ReadonlySet<string>} */
const NOTHING = new Set();

/** Which of the browser's codecs to answer with, so that those which it has but does not decode are left out; null: leave the
 * answer as it is, since nothing else is offered.
 * @template {{mimeType: string}} T @param {T[]} codecs @param {string} sdp the offer @param {ReadonlySet<string>} broken as "video/VP8"
 * @returns {T[] | null} */
export function spared(codecs, sdp, broken) {
  const offered = new Set((sdp.match(/^a=rtpmap:\d+ [^/\s]+/gm) ?? []).map((line) => `video/${line.split(" ")[1]}`.toLowerCase()));
  const named = new Set([...broken].map((name) => name.toLowerCase()));
  const left = codecs.filter(({ mimeType }) => !named.has(mimeType.toLowerCase()));
  const pictured = left.some(({ mimeType }) => offered.has(mimeType.toLowerCase()) && !REPAIRS.has(mimeType.toLowerCase()));
  return pictured && left.length < codecs.length ? left : null;
}

/** The desk's end: answers, keeps the transceiver both ways so that a webcam needs no new offer. */
export class DeskPeer extends Peer {
  /** @param {import("./peer.js").PeerOptions & {broken?: () => ReadonlySet<string>}} options `broken`: codecs that this browser says it has and does not decode */
  constructor(options) {
    super(options);
    this.broken = options.broken ?? (() => NOTHING);
    this.origin = "";
    this.answered = "";
  }

  /** @param {string} sdp @returns {boolean} false when the phone made a new connection: this one cannot take it */
  accepts(sdp) {
    return !this.closed && (this.origin === "" || this.origin === origin(sdp));
  }

  /** Whether the phone offers a picture in another format than these, which this browser can answer with.
   * @param {ReadonlySet<string>} broken @returns {boolean} */
  offers(broken) {
    return this.#left(this.pc.remoteDescription?.sdp ?? "", broken) !== null;
  }

  /** An offer heard twice is answered twice the same: the first answer was lost.
   * @param {string} sdp @param {MediaStreamTrack | null} webcam */
  offer(sdp, webcam) {
    this.origin = origin(sdp);
    return this.enqueue(async () => {
      if (this.answered === generation(sdp) && this.pc.localDescription) {
        this.options.send({ type: "signal.answer", sdp: this.pc.localDescription.sdp });
        return;
      }
      await this.remote({ type: "offer", sdp });
      const transceiver = this.pc.getTransceivers()[0];
      if (transceiver) {
        transceiver.direction = "sendrecv";
        if (transceiver.sender.track !== webcam) await transceiver.sender.replaceTrack(webcam);
        this.#spare(transceiver, sdp);
      }
      await this.pc.setLocalDescription(await this.pc.createAnswer());
      this.options.send({ type: "signal.answer", sdp: silent(this.pc.localDescription?.sdp ?? "") });
      this.answered = generation(sdp);
    });
  }

  /** Leave out of the answer what this browser does not decode, if something is left.
   * @param {RTCRtpTransceiver} transceiver @param {string} sdp the offer */
  #spare(transceiver, sdp) {
    const codecs = this.#left(sdp, this.broken());
    if (codecs) transceiver.setCodecPreferences(codecs);
  }

  /** @param {string} sdp @param {ReadonlySet<string>} broken */
  #left(sdp, broken) {
    const settable = "setCodecPreferences" in (globalThis.RTCRtpTransceiver?.prototype ?? {});
    const codecs = settable ? globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs : null;
    return broken.size > 0 && codecs ? spared(codecs, sdp, broken) : null;
  }
}

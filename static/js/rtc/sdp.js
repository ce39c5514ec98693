/** What is read in a session description: pure, the descriptions themselves are the browser's. */

/** Refuse anything but one video line: the talk is on line 15, and it is recorded there.
 * @param {string} sdp @returns {string} the same */
export function silent(sdp) {
  const lines = sdp.match(/^m=\S+/gm) ?? [];
  if (lines.length !== 1 || lines[0] !== "m=video") throw new Error(`unplanned media: ${lines.join(" ") || "none"}`);
  return sdp;
}

/** Codecs that the server knows as pictures (server/video/domain/sdp.py): it refuses an offer that holds another. */
const PICTURES = new Set(["vp8", "vp9", "h264", "h265", "av1", "av1x", "rtx", "red", "ulpfec", "flexfec-03"]);

/** Which of the browser's codecs to offer; null: all, as they are. A browser that learns a new one keeps its picture.
 * @template {{mimeType: string}} T @param {T[]} codecs @returns {T[] | null} */
export function pictures(codecs) {
  const known = codecs.filter(({ mimeType }) => PICTURES.has(mimeType.toLowerCase().replace("video/", "")));
  return known.length < codecs.length ? known : null;
}

/** What tells one offer from the next of the same connection: its version and its ICE generation.
 * @param {string} sdp @returns {string} */
export function generation(sdp) {
  return `${sdp.match(/^o=\S+ \S+ (\S+)/m)?.[1]} ${sdp.match(/^a=ice-ufrag:(\S+)/m)?.[1]}`;
}

/** The origin of a description: another one means another connection at the far end.
 * @param {string} sdp @returns {string} */
export function origin(sdp) {
  return sdp.match(/^o=\S+ (\S+)/m)?.[1] ?? "";
}

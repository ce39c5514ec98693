/** What is read in a session description: pure, the descriptions themselves are the browser's. */

/** Refuse anything but one video line: the talk is on line 15, and it is recorded there.
 * @param {string} sdp @returns {string} the same */
export function silent(sdp) {
  const lines = sdp.match(/^m=\S+/gm) ?? [];
  if (lines.length !== 1 || lines[0] !== "m=video") throw new Error(`unplanned media: ${lines.join(" ") || "none"}`);
  return sdp;
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

/**
 * Where a point of a picture is on a screen, and back: pure. A place in the picture is 0 to 1 from its left and its top, as it
 * was filmed; a screen shows it whole between black bars ("contain") or fills itself and cuts the edges off ("cover"),
 * turned by quarters clockwise, or mirrored.
 */

/** @typedef {{x: number, y: number}} Place of the picture, 0 to 1 */
/** @typedef {{width: number, height: number}} Size */
/** @typedef {0 | 90 | 180 | 270} Turn clockwise */
/** @typedef {{fit: "contain" | "cover", turn?: Turn, mirror?: boolean}} Shown */

/** @param {number} value @returns {number} between 0 and 1 */
const within = (value) => Math.min(1, Math.max(0, value));

/** @param {number} before @returns {Turn} the next quarter */
export function quarter(before) {
  return /** @type {Turn} */ ((Math.round(before / 90) * 90 + 90) % 360);
}

/** Where the picture itself lies in its box, which it may overlap.
 * @param {Size} box @param {Size} picture as filmed @param {Shown} shown
 * @returns {{left: number, top: number, width: number, height: number} | null} null when there is no picture or no box */
export function laid(box, picture, { fit, turn = 0 }) {
  const [wide, high] = turn % 180 ? [picture.height, picture.width] : [picture.width, picture.height];
  if (!(wide > 0 && high > 0 && box.width > 0 && box.height > 0)) return null;
  const [across, down] = [box.width / wide, box.height / high];
  const scale = fit === "cover" ? Math.max(across, down) : Math.min(across, down);
  const [width, height] = [wide * scale, high * scale];
  return { left: (box.width - width) / 2, top: (box.height - height) / 2, width, height };
}

/** Which place of the picture is under a point of the box.
 * @param {{left: number, top: number}} at @param {Size} box @param {Size} picture @param {Shown} shown
 * @returns {Place | null} null beside the picture */
export function placeAt(at, box, picture, shown) {
  const area = laid(box, picture, shown);
  if (!area) return null;
  const across = (at.left - area.left) / area.width;
  const down = (at.top - area.top) / area.height;
  if (across < 0 || across > 1 || down < 0 || down > 1) return null;
  return turned({ x: shown.mirror ? 1 - across : across, y: down }, back(shown.turn ?? 0));
}

/** Where a place of the picture is in the box; one that is cut off is brought to the nearest edge.
 * @param {Place} place @param {Size} box @param {Size} picture @param {Shown} shown
 * @returns {{left: number, top: number, cut: boolean} | null} null when there is no picture */
export function pointAt(place, box, picture, shown) {
  const area = laid(box, picture, shown);
  if (!area) return null;
  const { x, y } = turned(place, shown.turn ?? 0);
  const left = area.left + (shown.mirror ? 1 - x : x) * area.width;
  const top = area.top + y * area.height;
  const [inLeft, inTop] = [within(left / box.width) * box.width, within(top / box.height) * box.height];
  return { left: inLeft, top: inTop, cut: Math.abs(inLeft - left) > 0.5 || Math.abs(inTop - top) > 0.5 };
}

/** A place moved by a step as it is seen, whatever the turn.
 * @param {Place} place @param {{x: number, y: number}} step of what is seen, 0 to 1 @param {Turn} turn @returns {Place} */
export function moved(place, step, turn) {
  const seen = turned(place, turn);
  return turned({ x: within(seen.x + step.x), y: within(seen.y + step.y) }, back(turn));
}

/** @param {Place} place @param {Turn} turn clockwise @returns {Place} */
function turned({ x, y }, turn) {
  switch (turn) {
    case 90:
      return { x: 1 - y, y: x };
    case 180:
      return { x: 1 - x, y: 1 - y };
    case 270:
      return { x: y, y: 1 - x };
    default:
      return { x, y };
  }
}

/** @param {Turn} turn @returns {Turn} the turn that takes it back */
function back(turn) {
  return /** @type {Turn} */ ((360 - turn) % 360);
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { laid, moved, placeAt, pointAt, quarter } from "../../../static/js/rtc/pointing.js";

const HD = { width: 1280, height: 720 };
const PORTRAIT = { width: 720, height: 1280 };
const STAGE = { width: 778, height: 662 };
const PHONE = { width: 412, height: 839 };
const near = (a, b, message) => assert.ok(Math.abs(a - b) < 1e-9, `${message ?? ""} ${a} is not ${b}`);

test("a picture is shown whole between bars, or fills and is cut", () => {
  assert.deepEqual(laid({ width: 800, height: 800 }, HD, { fit: "contain" }), { left: 0, top: 175, width: 800, height: 450 });
  assert.deepEqual(laid({ width: 800, height: 800 }, PORTRAIT, { fit: "contain" }), { left: 175, top: 0, width: 450, height: 800 });
  const cut = laid({ width: 360, height: 720 }, HD, { fit: "cover" });
  assert.deepEqual(cut, { left: -460, top: 0, width: 1280, height: 720 });
  assert.equal(laid(STAGE, { width: 0, height: 0 }, { fit: "contain" }), null);
  assert.equal(laid({ width: 0, height: 5 }, HD, { fit: "contain" }), null);
});

test("a turn by a quarter turns the place with the picture", () => {
  const box = { width: 800, height: 800 };
  const corner = { x: 0, y: 0 };
  const at = (turn) => pointAt(corner, box, HD, { fit: "contain", turn });
  assert.deepEqual([at(0).left, at(0).top], [0, 175]);
  assert.deepEqual([at(90).left, at(90).top], [625, 0], "its left top corner is now right above");
  assert.deepEqual([at(180).left, at(180).top], [800, 625]);
  assert.deepEqual([at(270).left, at(270).top], [175, 800]);
});

test("what is pointed at comes back as the same place, whatever the turn, the mirror and the bars", () => {
  for (const picture of [HD, PORTRAIT, { width: 640, height: 480 }]) {
    for (const fit of ["contain", "cover"]) {
      for (const turn of [0, 90, 180, 270]) {
        for (const mirror of [false, true]) {
          for (const place of [{ x: 0.5, y: 0.5 }, { x: 0.45, y: 0.6 }, { x: 0.52, y: 0.41 }]) {
            const shown = { fit, turn, mirror };
            const at = pointAt(place, STAGE, picture, shown);
            assert.equal(at.cut, false);
            const back = placeAt(at, STAGE, picture, shown);
            near(back.x, place.x, JSON.stringify(shown));
            near(back.y, place.y, JSON.stringify(shown));
          }
        }
      }
    }
  }
});

test("beside the picture there is no place", () => {
  assert.equal(placeAt({ left: 400, top: 20 }, STAGE, HD, { fit: "contain" }), null);
  assert.equal(placeAt({ left: 20, top: 300 }, STAGE, PORTRAIT, { fit: "contain" }), null);
  assert.equal(placeAt({ left: 20, top: 300 }, STAGE, HD, { fit: "contain", turn: 90 }), null);
  assert.ok(placeAt({ left: 400, top: 20 }, STAGE, HD, { fit: "contain", turn: 90 }));
});

test("a place that the phone cuts off is shown at its edge, and said so", () => {
  const left = pointAt({ x: 0.02, y: 0.5 }, PHONE, HD, { fit: "cover" });
  assert.deepEqual([left.left, left.cut], [0, true]);
  const mirrored = pointAt({ x: 0.02, y: 0.5 }, PHONE, HD, { fit: "cover", mirror: true });
  assert.deepEqual([mirrored.left, mirrored.cut], [PHONE.width, true]);
  assert.equal(pointAt({ x: 0.5, y: 0 }, PHONE, HD, { fit: "cover" }).cut, false);
});

test("an arrow key moves what is seen, and stops at the edge", () => {
  assert.deepEqual(moved({ x: 0.5, y: 0.5 }, { x: 0.1, y: 0 }, 0), { x: 0.6, y: 0.5 });
  assert.deepEqual(moved({ x: 0.5, y: 0.5 }, { x: 0.1, y: 0 }, 90), { x: 0.5, y: 0.4 });
  assert.deepEqual(moved({ x: 0.5, y: 0.5 }, { x: 0.1, y: 0 }, 180), { x: 0.4, y: 0.5 });
  assert.deepEqual(moved({ x: 0.99, y: 0.5 }, { x: 0.1, y: 0 }, 0), { x: 1, y: 0.5 });
});

test("four quarters are none", () => {
  assert.deepEqual([0, 90, 180, 270].map(quarter), [90, 180, 270, 0]);
});

/**
 * Which lens is which. The lists are those that people reported: Android's from html5-qrcode, react-webcam#365, zxing-js and
 * AR.js#303, Firefox's from "Facing back:0", iOS's from vue-qrcode-reader and WebKit#8249. Where nobody reported a label in a language
 * (most ultra-wide and telephoto ones) it is put together from Apple's own words for that lens.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { better, lenses, round, same, which } from "../../../static/js/rtc/lenses.js";

/** @param {...string} labels */
const phone = (...labels) => labels.map((label) => ({ deviceId: label, label }));
const order = (...labels) => lenses(phone(...labels)).map(({ label }) => label);
const chosen = (labels, on, lamp = false) => better(lenses(phone(...labels)), on, lamp)?.label ?? null;

test("Android: the rear camera with the lowest number is the main one, in whatever order they are listed", () => {
  const labels = ["camera2 2, facing back", "camera2 0, facing back", "camera2 1, facing front", "camera2 3, facing front", "camera2 10, facing back"];
  const wanted = ["camera2 0, facing back", "camera2 1, facing front", "camera2 2, facing back", "camera2 10, facing back", "camera2 3, facing front"];
  assert.deepEqual(order(...labels), wanted);
  assert.deepEqual(order(...labels.toReversed()), wanted);
  assert.equal(chosen(labels, "camera2 2, facing back"), "camera2 0, facing back");
  assert.equal(chosen(labels, "camera2 0, facing back"), null);
  assert.deepEqual(order("camera 1, facing front", "camera 0, facing back"), ["camera 0, facing back", "camera 1, facing front"]);
});

test("Firefox on Android counts them too", () => {
  assert.equal(chosen(["Facing front:1", "Facing back:2", "Facing back:0"], "Facing back:2"), "Facing back:0");
  assert.equal(chosen(["Facing back:Camera 0", "Facing front:Camera 1"], "Facing back:Camera 0"), null);
  const old = ["Camera 2, Facing back, Orientation 90", "Camera 0, Facing back, Orientation 90", "Camera 1, Facing front, Orientation 270"];
  assert.deepEqual(order(...old), [old[1], old[2], old[0]]);
});

test("a lamp, or a finer picture, speaks for the lens that the browser gave", () => {
  const labels = ["camera2 2, facing back", "camera2 0, facing back"];
  assert.equal(chosen(labels, labels[0], true), null, "main lenses have the lamp");
  const able = (label, width) => ({ deviceId: label, label, getCapabilities: () => ({ width: { max: width }, height: { max: width }, facingMode: ["environment"] }) });
  assert.equal(better(lenses([able(labels[0], 4000), able(labels[1], 1600)]), labels[0], false), null);
  assert.equal(better(lenses([able(labels[0], 3000), able(labels[1], 4000)]), labels[0], false)?.label, labels[1]);
});

const IPHONE = ["Front Camera", "Back Camera", "Back Ultra Wide Camera", "Back Telephoto Camera", "Back Dual Camera", "Back Dual Wide Camera", "Back Triple Camera"];

test("an iPhone's combination of lenses is its main one, and takes no more turns", () => {
  assert.deepEqual(order(...IPHONE), ["Back Triple Camera", "Front Camera", "Back Camera", "Back Ultra Wide Camera", "Back Telephoto Camera"]);
  for (const fine of ["Back Triple Camera", "Back Dual Wide Camera", "Back Camera", "Back Dual Camera"]) assert.equal(chosen(IPHONE, fine), null, fine);
  assert.equal(chosen(IPHONE, "Back Ultra Wide Camera"), "Back Triple Camera");
  assert.equal(chosen(IPHONE, "Back Ultra Wide Camera", true), "Back Triple Camera", "its label says it, whatever its lamp");
  assert.equal(chosen(IPHONE, "Back Telephoto Camera"), "Back Triple Camera");
  assert.equal(chosen(IPHONE, "Front Camera"), "Back Triple Camera", "the back one was asked for (nimiq/qr-scanner#69)");
  assert.deepEqual(order("Back Dual Camera", "Front Camera"), ["Back Dual Camera", "Front Camera"]);
});

/** [rear, ultra-wide, telephoto, two, front] in the languages of iOS: a telephone's owner reads them in his own. */
const LANGUAGES = {
  fr: ["Caméra arrière", "Caméra arrière ultra grand-angle", "Caméra arrière téléobjectif", "Double caméra grand angle arrière", "Caméra avant"],
  de: ["Rückkamera", "Rückseitige Ultra-Weitwinkelkamera", "Rückseitige Telefotokamera", "Rückseitige Dual-Weitwinkelkamera", "Frontkamera"],
  de2: ["Rückseitige Kamera", "Rückseitige Ultraweitwinkel-Kamera", "Rückseitige Telekamera", "Rückseitige Triple-Kamera", "Frontkamera"],
  es: ["Cámara trasera", "Cámara trasera ultra gran angular", "Cámara trasera con teleobjetivo", "Cámara trasera dual con gran angular", "Cámara frontal"],
  it: ["Fotocamera (posteriore)", "Fotocamera ultra-grandangolo (posteriore)", "Fotocamera con teleobiettivo (posteriore)", "Fotocamera doppia con grandangolo (posteriore)", "Fotocamera (anteriore)"],
  pt: ["Câmera de Trás", "Câmera Ultra-angular Traseira", "Câmera Teleobjetiva Traseira", "Câmera Dupla Grande-Angular Traseira", "Câmera Frontal"],
  nl: ["Camera aan achterzijde", "Ultrabrede camera aan achterzijde", "Telecamera aan achterzijde", "Dubbele brede camera aan achterzijde", "Camera aan voorzijde"],
  pl: ["Tylny aparat", "Tylny aparat ultraszerokokątny", "Tylny teleobiektyw", "Tylny dwuobiektywowy aparat szerokokątny", "Przedni aparat"],
  ro: ["Cameră spate", "Cameră ultra-superangulară spate", "Cameră teleobiectiv spate", "Cameră dublă cu obiectiv superangular spate", "Cameră față"],
  ru: ["Задняя камера", "Задняя сверхширокоугольная камера", "Задняя телефотокамера", "Задняя двойная широкоугольная камера", "Передняя камера"],
  uk: ["Задня камера", "Задня надширококутна камера", "Задня телефотокамера", "Задня здвоєна ширококутна камера", "Передня камера"],
  tr: ["Arka Kamera", "Ultra Geniş Kamera Arka Yüzü", "Telefoto Kamera Arka Yüzü", "Çift Geniş Kamera Arka Yüzü", "Ön Kamera"],
  zh: ["后置相机", "后置超广角镜头", "后置长焦镜头", "后置双广角镜头", "前置相机"],
  zh2: ["後置相機", "後置超廣角相機", "後置望遠相機", "後置雙廣角相機", "前置相機"],
  ar: ["الكاميرا الخلفية", "كاميرا خلفية فائقة العرض", "كاميرا خلفية للتقريب", "كاميرا خلفية مزدوجة عريضة", "الكاميرا الأمامية"],
  ja: ["背面カメラ", "背面超広角カメラ", "背面望遠カメラ", "背面デュアル広角カメラ", "前面カメラ"],
  ko: ["후면 카메라", "후면 울트라 와이드 카메라", "후면 망원 카메라", "후면 듀얼 와이드 카메라", "전면 카메라"],
};

for (const [language, [plain, wide, tele, two, front]] of Object.entries(LANGUAGES)) {
  test(`labels of an iPhone in ${language}`, () => {
    assert.deepEqual(order(front, wide, tele, plain), [plain, front, wide, tele]);
    assert.deepEqual(order(front, wide, two, plain), [two, front, plain, wide]);
    assert.equal(chosen([front, wide, tele, plain], wide), plain);
    assert.equal(chosen([front, wide, tele, plain], tele), plain);
    assert.equal(chosen([front, wide, tele, plain], plain), null);
    assert.equal(chosen([front, two, plain], two), null);
  });
}

/** Further languages of iOS, as reported to barcode readers: the rear camera, and its combination of two lenses. */
const REPORTED = {
  rear: "Camera mặt sau|Hátoldali kamera|Kamera på baksidan|Πίσω κάμερα|Bagsidekamera|Zadní fotoaparát|מצלמה אחורית|Takakamera|Stražnja kamera|กล้องด้านหลัง|Kamera bak",
  two: "Camera kép rộng mặt sau|Hátsó, kettős, széles látószögű kamera|Dubbel vidvinkelkamera på baksidan|Πίσω διπλή ευρεία κάμερα|Zadní duální širokoúhlý fotoaparát|מצלמה כפולה רחבה אחורית|Laajakulmainen kaksoistakakamera|Stražnja dvostruka široka kamera|กล้องคู่ด้านหลังมุมกว้าง|Dobbelt vidvinkelkamera bak",
};

test("rear cameras are known as such in all languages that were reported", () => {
  for (const [kind, labels] of Object.entries(REPORTED)) {
    for (const label of labels.split("|")) {
      const [lens] = lenses(phone(label));
      assert.deepEqual([lens.side, lens.build], ["rear", kind === "two" ? "multi" : "plain"], label);
    }
  }
});

test("what is no lens of the phone comes last; depth, infrared and desk views after all", () => {
  const labels = ["Back IR Camera", "Endoscope USB2.0", "camera2 1, facing front", "camera2 0, facing back"];
  assert.deepEqual(order(...labels), ["camera2 0, facing back", "camera2 1, facing front", "Back IR Camera", "Endoscope USB2.0"]);
  assert.equal(chosen(labels, "Back IR Camera"), "camera2 0, facing back");
  assert.deepEqual(order("Caméra Desk View", "Jeanne’s iPhone Desk View Camera", "FaceTime HD Camera", "Webcam C920"), [
    "FaceTime HD Camera", "Webcam C920", "Caméra Desk View", "Jeanne’s iPhone Desk View Camera",
  ]);
  assert.equal(chosen(["Webcam C920", "FaceTime HD Camera"], "Webcam C920"), null, "no evidence, no change");
  assert.deepEqual(order("USB 2.0 Camera: HD 720P", "Microsoft Camera Rear", "Microsoft Camera Front"), ["Microsoft Camera Rear", "Microsoft Camera Front", "USB 2.0 Camera: HD 720P"]);
});

test("without labels the order is the list's, and nothing is changed", () => {
  const devices = ["a", "b", "c"].map((deviceId) => ({ deviceId, label: "" }));
  assert.deepEqual(lenses(devices).map(({ id }) => id), ["a", "b", "c"]);
  assert.equal(better(lenses(devices), "b", false), null);
  assert.equal(same(lenses(devices), { id: "x", label: "" }), null);
  const [bare] = lenses([{ deviceId: "x" }]);
  assert.equal(bare.side, "");
  assert.deepEqual(lenses([{ deviceId: "", label: "" }, { deviceId: "a", label: "" }, { deviceId: "a", label: "" }]).length, 1, "no id, no way to it");
  const failing = { deviceId: "a", label: "", getCapabilities: () => { throw new TypeError("no"); } };
  assert.equal(lenses([failing])[0].pixels, null);
  const told = { deviceId: "r", label: "", getCapabilities: () => ({ facingMode: ["environment"] }) };
  assert.deepEqual(lenses([devices[0], told]).map(({ id }) => id), ["r", "a"], "some browsers tell the side all the same");
});

test("the lens of a page that was loaded again is found by its id, or by its label", () => {
  const list = lenses(phone("Back Camera", "Back Ultra Wide Camera"));
  assert.equal(same(list, { id: "Back Ultra Wide Camera", label: "" }).label, "Back Ultra Wide Camera");
  assert.equal(same(list, { id: "of another page", label: "Back Ultra Wide Camera" }).label, "Back Ultra Wide Camera");
  assert.equal(same(list, { id: "of another page", label: "Endoscope" }), null);
});

test("the desk is told which one is on, of how many", () => {
  const list = lenses(phone(...IPHONE));
  assert.deepEqual(list.map(({ id }) => which(list, id)), [
    { lens: "main", place: 1 }, { lens: "front", place: 2 }, { lens: "rear", place: 3 }, { lens: "wide", place: 4 }, { lens: "tele", place: 5 },
  ]);
  assert.deepEqual(which(list, "gone"), { lens: null, place: null });
  assert.deepEqual(which(lenses(phone("Endoscope")), "Endoscope"), { lens: "other", place: 1 });
});

test("a lens that was on waits for the others; a dead one comes when nothing else is left", () => {
  const list = lenses(phone("camera2 0, facing back", "camera2 1, facing front", "camera2 2, facing back"));
  const [main, front, rear] = list.map(({ id }) => id);
  const next = (now, shown, dead = []) => round(list, now, new Set(shown), new Set(dead));
  assert.deepEqual(next(main, [main, front]).next.map(({ id }) => id), [rear, front]);
  assert.equal(next(main, [main, front]).again, false);
  assert.equal(next(main, [main, front, rear]).again, true);
  assert.deepEqual(next(main, [], [front]).next.map(({ id }) => id), [rear]);
  assert.deepEqual(next(main, [], [front, rear]).next.map(({ id }) => id), [front, rear]);
  assert.deepEqual(next("unplugged", []).next.map(({ id }) => id), [main, front, rear]);
});

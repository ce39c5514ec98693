import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { guide, named, outside } from "../../../../static/js/caller/camera/guide.js";
import { refusal, where } from "../../../../static/js/caller/phase.js";

const IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
const PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 7 Build/AP2A.240805.005; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/129.0.6668.70 Mobile Safari/537.36";
const AGENTS = [
  // system, browser, in an application, agent, touches
  ["ios", "safari", false, `${IPHONE} Version/18.1 Mobile/15E148 Safari/604.1`],
  ["ios", "chrome", false, `${IPHONE} CriOS/129.0.6668.69 Mobile/15E148 Safari/604.1`],
  ["ios", "firefox", false, `${IPHONE} FxiOS/131.0 Mobile/15E148 Safari/605.1.15`],
  ["ios", "edge", false, `${IPHONE} Version/18.0 EdgiOS/129.0.2792.84 Mobile/15E148 Safari/604.1`],
  ["ios", "opera", false, `${IPHONE} Version/18.1 Mobile/15E148 Safari/604.1 OPT/5.1.2`],
  ["ios", "safari", false, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", 5],
  ["ios", "other", true, `${IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/485.0.0.40.111;FBBV/647066870;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.0;FBLC/fr_FR]`],
  ["ios", "other", true, `${IPHONE} Mobile/15E148 [FBAN/MessengerForiOS;FBAV/477.0.0.40.111;FBDV/iPhone14,5]`],
  ["ios", "other", true, `${IPHONE} Mobile/15E148 Instagram 350.1.0.27.93 (iPhone15,2; iOS 18_0; fr_FR; fr; scale=3.00; 1179x2556; 646140541)`],
  ["ios", "safari", true, `${IPHONE} Safari Line/14.17.0`],
  ["ios", "other", true, `${IPHONE} Mobile/15E148 MicroMessenger/8.0.53(0x18003531) NetType/WIFI Language/zh_CN`],
  ["ios", "safari", true, `${IPHONE} GSA/337.0.683062013 Mobile/15E148 Safari/604.1`],
  ["ios", "safari", true, `${IPHONE} Mobile/15E148 Snapchat/13.12.0.43 (like Safari/8619.1.26.30.5, panda)`],
  ["ios", "other", true, `${IPHONE} Mobile/15E148 musical_ly_36.5.0 BytedanceWebview/d8a21c6`],
  ["ios", "other", true, `${IPHONE} Mobile/15E148 Twitter for iPhone/10.62`],
  ["ios", "other", true, `${IPHONE} Mobile/22A3370`],
  ["android", "chrome", false, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36"],
  ["android", "samsung", false, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36"],
  ["android", "firefox", false, "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0"],
  ["android", "edge", false, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Mobile Safari/537.36 EdgA/129.0.0.0"],
  ["android", "opera", false, "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36 OPR/84.0.0.0"],
  ["android", "chrome", true, PIXEL],
  ["android", "chrome", true, `${PIXEL} [FB_IAB/FB4A;FBAV/485.0.0.70.77;]`],
  ["android", "chrome", true, `${PIXEL} Instagram 352.1.0.41.100 Android (34/14; 420dpi; 1080x2205; Google; Pixel 7; panther; panther; fr_FR; 650753877)`],
  ["android", "chrome", true, `${PIXEL} trill_370104 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly BytedanceWebview/d8a21c6`],
  ["android", "chrome", true, "Mozilla/5.0 (Linux; Android 13; SM-A536B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.6668.70 Mobile Safari/537.36 Line/14.16.1/IAB"],
  ["android", "chrome", true, `${PIXEL} WhatsApp/2.24.20.89`],
  ["desktop", "chrome", false, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36"],
  ["desktop", "edge", false, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0"],
  ["desktop", "firefox", false, "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0"],
  ["desktop", "safari", false, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", 0],
  ["desktop", "other", false, ""],
];

for (const [system, browser, inApp, agent, touches] of AGENTS) {
  test(`it knows where it is: ${agent.slice(-60)}`, () => {
    assert.deepEqual(where(agent, touches), { system, browser, inApp });
  });
}

const REFUSALS = [
  ["denied", "NotAllowedError", "Permission denied"],
  ["denied", "NotAllowedError", "The request is not allowed by the user agent or the platform in the current context, possibly because the user denied permission."],
  ["denied", "NotAllowedError", "The request is not allowed by the user agent or the platform in the current context."],
  ["system", "NotAllowedError", "Permission denied by system"],
  ["dismissed", "NotAllowedError", "Permission dismissed"],
  ["none", "NotFoundError", "Requested device not found"],
  ["none", "OverconstrainedError", ""],
  ["busy", "NotReadableError", "Could not start video source"],
  ["busy", "NotReadableError", "Failed to allocate videosource"],
  ["insecure", "SecurityError", ""],
  ["timeout", "TimeoutError", ""],
];

for (const [why, name, message] of REFUSALS) {
  test(`each refusal has its name: ${name} ${message}`, () => assert.equal(refusal(name, message), why));
}

const PLACES = AGENTS.map(([, , , agent, touches]) => where(agent, touches));
const WHYS = ["denied", "system", "dismissed", "none", "busy", "insecure", "in_app", "unable", "cookies", "timeout"];
const table = readFileSync(new URL("../../../../templates/caller/words.html", import.meta.url), "utf8");
const sprite = readFileSync(new URL("../../../../static/vendor/lucide/sprite.svg", import.meta.url), "utf8");

test("each trouble has a guide everywhere: one to three steps, with words and a pictogram", () => {
  for (const place of PLACES) {
    for (const why of WHYS) {
      for (const instant of [true, false]) {
        const found = guide(why, place, instant);
        const told = `${why} ${JSON.stringify(place)}`;
        assert.ok(found && found.steps.length > 0 && found.steps.length <= 3, told);
        assert.ok(table.includes(`"${why}_title":`), told);
        for (const { icon, key } of found.steps) {
          assert.ok(table.includes(`"${key}":`), key);
          assert.ok(sprite.includes(`id="${icon}"`), icon);
        }
        if (found.outside) assert.notEqual(outside(place, "https://visio15.example/v/abc"), "", told);
      }
    }
    assert.equal(guide("network", place), null);
  }
});

const keys = (why, agent, instant) => guide(why, where(agent), instant).steps.map((step) => step.key.slice(3));
const SAFARI = AGENTS[0][3];

test("a refusal is undone where this browser keeps it", () => {
  assert.deepEqual(keys("denied", SAFARI, false), ["retry", "allow"]);
  assert.equal(guide("denied", where(SAFARI), false).again, "reload", "WebKit asks once a page");
  assert.deepEqual(keys("denied", SAFARI, true), ["page_menu", "website", "choose"]);
  assert.deepEqual(keys("denied", AGENTS[1][3], true), ["menu", "site_info"]);
  assert.deepEqual(keys("denied", AGENTS[2][3], true), ["settings", "app", "camera_on"]);
  assert.deepEqual(keys("denied", AGENTS[16][3], false), ["sign", "permissions", "choose"]);
  assert.deepEqual(keys("denied", AGENTS[17][3], true), ["lock", "permissions", "choose"]);
  assert.deepEqual(keys("denied", AGENTS[18][3], true), ["lock", "blocked"]);
  assert.deepEqual(keys("denied", AGENTS[27][3], true), ["click", "choose"]);
  assert.deepEqual(keys("system", AGENTS[16][3], true), ["settings", "app", "app_camera"]);
  assert.deepEqual(keys("system", SAFARI, true), ["settings", "app", "camera_on"]);
  assert.deepEqual(keys("system", AGENTS[27][3], true), ["privacy", "privacy_camera"]);
});

test("the real browser opens with the link, and nothing but the link", () => {
  const link = "https://visio15.example:8443/v/Zk3v0T_x-9QmP1aB2cD3?lang=ar#x";
  assert.equal(outside(where(SAFARI), link), "x-safari-https://visio15.example:8443/v/Zk3v0T_x-9QmP1aB2cD3");
  assert.equal(
    outside(where(PIXEL), link),
    "intent://visio15.example:8443/v/Zk3v0T_x-9QmP1aB2cD3#Intent;scheme=https;package=com.android.chrome;" +
      "S.browser_fallback_url=https%3A%2F%2Fvisio15.example%3A8443%2Fv%2FZk3v0T_x-9QmP1aB2cD3;end",
  );
  assert.equal(outside(where(""), link), "");
  assert.equal(named(where(PIXEL)), "Chrome");
  assert.equal(named(where(AGENTS[8][3])), "Safari");
  assert.equal(named(where(AGENTS[17][3])), "Samsung Internet");
});

test("every sentence a script says is in the table, and every icon it draws in the sprite", () => {
  for (const name of ["main", "camera/camera", "hints", "screen", "camera/trouble", "words"]) {
    const text = readFileSync(new URL(`../../../../static/js/caller/${name}.js`, import.meta.url), "utf8");
    for (const [, key] of text.matchAll(/\bsay\("(\w+)"/g)) assert.ok(table.includes(`"${key}":`), `${name}: ${key}`);
    for (const [, key] of text.matchAll(/\bicon\("([\w-]+)"\)/g)) assert.ok(sprite.includes(`id="${key}"`), `${name}: ${key}`);
  }
});

test("nothing of the page is left on the phone", () => {
  for (const name of ["main", "camera/camera", "hints", "sending/peers", "screen", "camera/trouble", "words"]) {
    const text = readFileSync(new URL(`../../../../static/js/caller/${name}.js`, import.meta.url), "utf8");
    assert.doesNotMatch(text, /localStorage|indexedDB|caches\.|serviceWorker|document\.cookie/, name);
  }
});

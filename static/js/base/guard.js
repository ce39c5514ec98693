/* For a page whose script does not come, or does not parse: no dead button, no silence (docs/adr/0030). ES5, run before all else. */
(function () {
  "use strict";
  var root = document.documentElement;
  var again = location.hash.indexOf("#again") === 0;
  var lost = false;
  var bare = false;
  var shown = "";
  var told = "";
  if (location.hash === "#again-tap") root.setAttribute("data-kept", "true");

  function ready() {
    return document.body.getAttribute("data-ready") === "true";
  }

  /** @param {string} method @param {string} path @param {string | null} body @param {(status: number) => void} done 0: no answer */
  function ask(method, path, body, done) {
    var request = new XMLHttpRequest();
    request.open(method, path);
    request.timeout = 8000;
    request.setRequestHeader("Accept", "application/json");
    request.onloadend = function () {
      done(request.status);
    };
    request.send(body);
  }

  /* Told once somebody looks: a preview or a scanner opens nothing. */
  function tell() {
    if (document.hidden || told === shown || ready()) return;
    told = shown;
    ask("POST", location.pathname + "/cannot", JSON.stringify({ why: shown }), function (status) {
      if (!status || status >= 500) told = "";
    });
  }

  /** @param {"lost_script" | "old_browser"} why */
  function show(why) {
    var place = document.getElementById("cannot");
    if (!place) return;
    Array.prototype.forEach.call(place.querySelectorAll("[data-lost]"), function (node) {
      if (why === "lost_script") node.textContent = node.getAttribute("data-lost");
    });
    place.removeAttribute("hidden");
    document.body.setAttribute("data-phase", "cannot");
    shown = place.hasAttribute("data-tells") ? why : "";
    tell();
  }

  /* Nobody has touched the page: with its styles alone lost it works, and a camera may be on. */
  function idle() {
    return !ready() || document.body.getAttribute("data-phase") === "invite";
  }

  /* The network lost a part: the page is loaded again, once, and only when the server answers. */
  function reload() {
    ask("HEAD", location.pathname, null, function (status) {
      if (!idle()) return;
      if (status && status < 500) {
        location.replace("#again" + (root.hasAttribute("data-kept") ? "-tap" : ""));
        location.reload();
      } else {
        if (!ready()) show("lost_script");
        setTimeout(reload, 3000);
      }
    });
  }

  /* Modules come before the load event: a page that is not ready then never will be. Without its styles it shows all its screens at once. */
  function judge() {
    if (!again && (ready() ? bare && idle() : lost)) reload();
    else if (!ready()) show(lost ? "lost_script" : "old_browser");
    else if (again) history.replaceState(null, "", location.pathname + location.search);
  }

  addEventListener("error", function (event) {
    if (event.target instanceof HTMLScriptElement && event.target.type === "module") lost = true;
    if (event.target instanceof HTMLLinkElement && event.target.rel === "stylesheet") bare = true;
  }, true);
  addEventListener("load", judge);
  document.addEventListener("visibilitychange", tell);
  setTimeout(function () {
    if (document.readyState !== "complete" && !ready()) show("lost_script");
  }, 15000);
  document.addEventListener("click", function (event) {
    var button = event.target instanceof Node ? event.target : null;
    while (button && !(button instanceof HTMLButtonElement)) button = button.parentNode;
    var text = button && button.querySelector("span");
    if (!button || !text || !button.hasAttribute("data-wait") || ready()) return;
    event.preventDefault();
    root.setAttribute("data-kept", "true");
    text.textContent = button.getAttribute("data-wait");
  }, true);
})();

// Notes every wish for a device before the page's own scripts run.
(() => {
  const devices = navigator.mediaDevices;
  window.__labAsked = [];
  if (!devices) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = (wish) => {
    window.__labAsked.push({audio: Boolean(wish && wish.audio), video: Boolean(wish && wish.video)});
    return ask(wish);
  };
})();

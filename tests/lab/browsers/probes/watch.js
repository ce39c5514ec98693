// Notes every wish for a device, and every track given, before the page's own scripts run.
(() => {
  const devices = navigator.mediaDevices;
  window.__labAsked = [];
  window.__labTracks = [];
  if (!devices) return;
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    window.__labAsked.push({audio: Boolean(wish && wish.audio), video: Boolean(wish && wish.video)});
    const stream = await ask(wish);
    window.__labTracks.push(...stream.getTracks());
    return stream;
  };
})();

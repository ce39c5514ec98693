// Two small pictures of the element, some time apart: neither black nor equal means it lives.
async ([selector, gap]) => {
  const video = document.querySelector(selector);
  if (!video || !video.videoWidth || video.readyState < 2) return null;
  const canvas = document.createElement('canvas');
  canvas.width = 160; canvas.height = 120;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const shot = () => { pen.drawImage(video, 0, 0, 160, 120); return pen.getImageData(0, 0, 160, 120).data; };
  const first = shot();
  await new Promise((go) => setTimeout(go, gap));
  const second = shot();
  let light = 0, changed = 0;
  for (let i = 0; i < first.length; i += 4) {
    light += (second[i] + second[i + 1] + second[i + 2]) / 3;
    const d = Math.abs(first[i] - second[i]) + Math.abs(first[i + 1] - second[i + 1]) + Math.abs(first[i + 2] - second[i + 2]);
    if (d > 48) changed += 1;
  }
  return {light: light / (160 * 120), changed, width: video.videoWidth, height: video.videoHeight};
}

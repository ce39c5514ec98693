// One frame of what the phones film in the pictures: a teddy bear with a bandaged arm, so that nobody is shown.
([width, height, turn]) => {
  const canvas = new OffscreenCanvas(width, height);
  const c = canvas.getContext("2d");
  const wave = Math.sin(turn * 2 * Math.PI);
  const disc = (x, y, rx, ry, fill, angle = 0) => {
    c.fillStyle = fill;
    c.beginPath();
    c.ellipse(x, y, rx, ry, angle, 0, 2 * Math.PI);
    c.fill();
  };
  c.scale(width / 480, height / 640);
  const wall = c.createLinearGradient(0, 0, 480, 400);
  wall.addColorStop(0, "#d9cdb8");
  wall.addColorStop(1, "#b8a98f");
  c.fillStyle = wall;
  c.fillRect(0, 0, 480, 640);
  c.fillStyle = "#5d7484";
  c.fillRect(0, 330, 480, 310);
  c.fillStyle = "#6f8797";
  c.fillRect(0, 330, 480, 26);
  disc(240, 600, 190, 26, "rgb(30 40 50 / 35%)");
  disc(170, 560, 62, 46, "#8a5a33");
  disc(310, 560, 62, 46, "#8a5a33");
  disc(150, 566, 30, 24, "#c9986a");
  disc(330, 566, 30, 24, "#c9986a");
  disc(240, 450, 118, 132, "#9a683d");
  disc(240, 470, 72, 86, "#c9986a");
  disc(158, 170, 42, 42, "#8a5a33");
  disc(322, 170, 42, 42, "#8a5a33");
  disc(158, 170, 22, 22, "#c9986a");
  disc(322, 170, 22, 22, "#c9986a");
  disc(240, 245 + wave, 118, 106, "#9a683d");
  disc(240, 288 + wave, 52, 42, "#d8b084");
  disc(240, 268 + wave, 19, 13, "#2b1c12");
  disc(196, 228 + wave, 11, turn > 0.92 ? 2 : 12, "#1d130c");
  disc(284, 228 + wave, 11, turn > 0.92 ? 2 : 12, "#1d130c");
  c.strokeStyle = "#2b1c12";
  c.lineWidth = 4;
  c.lineCap = "round";
  c.beginPath();
  c.arc(240, 294 + wave, 20, 0.2 * Math.PI, 0.8 * Math.PI);
  c.stroke();
  disc(124, 452, 34, 84, "#8a5a33", 0.5);
  c.save();
  c.translate(338, 390);
  c.rotate(-0.72 + wave * 0.06);
  disc(0, 66, 36, 88, "#8a5a33");
  c.beginPath();
  c.ellipse(0, 66, 38, 90, 0, 0, 2 * Math.PI);
  c.clip();
  c.fillStyle = "#f4f1ea";
  c.fillRect(-60, 40, 120, 66);
  c.strokeStyle = "#cfc8ba";
  c.lineWidth = 3;
  for (let y = 46; y < 106; y += 14) {
    c.beginPath();
    c.moveTo(-60, y);
    c.lineTo(60, y + 12);
    c.stroke();
  }
  c.restore();
  const { data } = c.getImageData(0, 0, width, height);
  const luma = new Uint8Array(width * height);
  const chroma = [new Uint8Array((width * height) / 4), new Uint8Array((width * height) / 4)];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = 4 * (y * width + x);
      const [r, g, b] = [data[at], data[at + 1], data[at + 2]];
      luma[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
      if (y % 2 || x % 2) continue;
      const half = (y / 2) * (width / 2) + x / 2;
      chroma[0][half] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
      chroma[1][half] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
    }
  let text = "";
  for (const plane of [luma, ...chroma])
    for (let i = 0; i < plane.length; i += 8192) text += String.fromCharCode(...plane.subarray(i, i + 8192));
  return btoa(text);
}

/** How dark a picture is. Black frames look fresh to every counter: a look at sixteen by sixteen pixels tells. */

/** Mean brightness, of 255, under which a picture is black; and under which a lamp would help. */
export const BLACK = 12;
export const DIM = 45;

export class Darkness {
  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 16;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
  }

  /** @returns {number} mean brightness, 0 to 255; 255 while there is no picture to judge */
  level() {
    if (!this.context || this.video.readyState < 2) return 255;
    this.context.drawImage(this.video, 0, 0, 16, 16);
    return luma(this.context.getImageData(0, 0, 16, 16).data);
  }
}

/** Mean brightness of RGBA pixels, 0 to 255.
 * @param {ArrayLike<number>} pixels @returns {number} */
export function luma(pixels) {
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4) {
    sum += 0.2126 * Number(pixels[i]) + 0.7152 * Number(pixels[i + 1]) + 0.0722 * Number(pixels[i + 2]);
  }
  return pixels.length ? sum / (pixels.length / 4) : 0;
}

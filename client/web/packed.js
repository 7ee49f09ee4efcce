// Packed alpha: a picture of double height, premultiplied colours above, their matte below. Pure.

/** Matte values up to the first are nothing, from the second on opaque: what a codec has smeared is taken back. */
export const MATTE_RANGE = Object.freeze([0.03, 0.97]);

/**
 * @param {number} value  0..255 as decoded.
 * @returns {number} 0..1
 */
export function alphaOf(value) {
  const [low, high] = MATTE_RANGE;
  return Math.min(1, Math.max(0, (value / 255 - low) / (high - low)));
}

/**
 * What a canvas takes, from what a video shows.
 * @param {Uint8ClampedArray} packed  RGBA of the whole picture, `width` x `2 * height`.
 * @param {number} width
 * @param {number} height  Of the result.
 * @param {Uint8ClampedArray} [out]  RGBA, not premultiplied, as `ImageData` holds it.
 * @returns {Uint8ClampedArray}
 */
export function unpack(packed, width, height, out = new Uint8ClampedArray(width * height * 4)) {
  const below = width * height * 4;
  for (let at = 0; at < below; at += 4) {
    const alpha = alphaOf(packed[below + at]);
    const scale = alpha > 0 ? 1 / alpha : 0;
    out[at] = packed[at] * scale;
    out[at + 1] = packed[at + 1] * scale;
    out[at + 2] = packed[at + 2] * scale;
    out[at + 3] = 255 * alpha;
  }
  return out;
}

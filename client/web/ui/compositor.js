// Turns packed video (`packed.js`) into a canvas with transparency: WebGL, or pixel by pixel where there is none.

import { MATTE_RANGE, unpack } from "../packed.js";

const VERTEX = `
attribute vec2 place;
varying vec2 at;
void main() {
  at = vec2(place.x, 1.0 - place.y) * 0.5 + vec2(0.5, 0.0);
  gl_Position = vec4(place, 0.0, 1.0);
}`;

// `edge` is half a texel: linear filtering may not mix the last line of colours with the first of the matte
const FRAGMENT = `
precision mediump float;
uniform sampler2D video;
uniform vec2 range;
uniform float edge;
varying vec2 at;
void main() {
  float y = clamp(at.y * 0.5, edge, 0.5 - edge);
  float matte = texture2D(video, vec2(at.x, y + 0.5)).r;
  float alpha = clamp((matte - range.x) / (range.y - range.x), 0.0, 1.0);
  gl_FragColor = vec4(min(texture2D(video, vec2(at.x, y)).rgb, vec3(alpha)), alpha);
}`;

/** Draws onto one canvas. `draw()` for every frame; a lost context comes back by itself. */
export class Compositor {
  #canvas;
  /** @type {WebGLRenderingContext | null} */
  #gl = null;
  /** @type {WebGLUniformLocation | null} */
  #edge = null;
  /** For the way without WebGL. @type {CanvasRenderingContext2D | null} */
  #scratch = null;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {{webgl?: boolean}} [options]
   */
  constructor(canvas, { webgl = true } = {}) {
    this.#canvas = canvas;
    if (webgl) this.#begin();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => this.#begin());
  }

  /** How it draws. */
  get way() {
    return this.#gl ? "webgl" : "2d";
  }

  /** @param {HTMLVideoElement} video  One that shows packed pictures. */
  draw(video) {
    const { videoWidth: width, videoHeight } = video;
    const height = videoHeight >> 1;
    if (width === 0 || height === 0) return;
    const canvas = this.#canvas;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    if (this.#gl) this.#drawWithGl(this.#gl, video, width, height);
    else this.#drawByPixel(video, width, height);
  }

  /** Nothing is shown any more. */
  clear() {
    this.#canvas.width = this.#canvas.width;
  }

  #begin() {
    // read back by tests and by whoever records the canvas; at this size keeping the buffer costs nothing
    const options = { premultipliedAlpha: true, alpha: true, antialias: false, preserveDrawingBuffer: true };
    const gl = /** @type {WebGLRenderingContext | null} */ (this.#canvas.getContext("webgl", options));
    const program = gl && programOf(gl);
    if (!gl || !program) return;
    gl.useProgram(program);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    for (const way of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, way, gl.LINEAR);
    gl.uniform2f(gl.getUniformLocation(program, "range"), MATTE_RANGE[0], MATTE_RANGE[1]);
    this.#edge = gl.getUniformLocation(program, "edge");
    this.#gl = gl;
  }

  /**
   * @param {WebGLRenderingContext} gl
   * @param {HTMLVideoElement} video
   * @param {number} width
   * @param {number} height
   */
  #drawWithGl(gl, video, width, height) {
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, width, height);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, video);
    gl.uniform1f(this.#edge, 0.25 / height);
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4);
  }

  /**
   * @param {HTMLVideoElement} video
   * @param {number} width
   * @param {number} height
   */
  #drawByPixel(video, width, height) {
    this.#scratch ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const [scratch, context] = [this.#scratch, this.#canvas.getContext("2d")];
    if (!scratch || !context) return;
    if (scratch.canvas.width !== width || scratch.canvas.height !== 2 * height) {
      Object.assign(scratch.canvas, { width, height: 2 * height });
    }
    scratch.drawImage(video, 0, 0);
    const image = context.createImageData(width, height);
    unpack(scratch.getImageData(0, 0, width, 2 * height).data, width, height, image.data);
    context.putImageData(image, 0, 0);
  }
}

/**
 * @param {WebGLRenderingContext} gl
 * @returns {WebGLProgram | null} Null where it cannot be built.
 */
function programOf(gl) {
  const program = gl.createProgram();
  for (const [type, source] of /** @type {[number, string][]} */ ([[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]])) {
    const shader = gl.createShader(type);
    if (!program || !shader) return null;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  if (!program) return null;
  gl.bindAttribLocation(program, 0, "place");
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

// Small helpers for the files in this folder, the only ones that touch the document.

/**
 * The element with this id; the page is broken without it, so its absence is an error.
 * @template {Element} T
 * @param {string} id
 * @param {new (...args: any[]) => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is not in the page as a ${type.name}`);
  return found;
}

/**
 * @param {string} tag
 * @param {Record<string, string | boolean>} [attributes]  `true` sets an empty attribute, `false` none.
 * @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} name  A symbol of icons.svg.
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {Element} holder  An element with one icon in it.
 * @param {string} name
 */
export function setIcon(holder, name) {
  holder.querySelector("use")?.setAttribute("href", `icons.svg#${name}`);
}

/**
 * A button's accessible name and its tooltip.
 * @param {Element} button
 * @param {string} text
 */
export function setLabel(button, text) {
  button.setAttribute("aria-label", text);
  button.setAttribute("title", text);
}

/**
 * @param {EventTarget} target
 * @param {string} type
 * @param {(detail: any) => void} listener
 */
export function on(target, type, listener) {
  target.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
}

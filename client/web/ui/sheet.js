// On a phone the conversation is a sheet at the bottom: a grip raises and lowers it.

import { byId } from "./dom.js";

/** A drag of this many pixels counts as a wish, less is a tap. */
const DRAG_PX = 24;

/** @param {import("./locale.js").Locale} locale */
export function liftSheet(locale) {
  const panel = byId("panel", HTMLElement);
  const grip = byId("grip", HTMLButtonElement);
  let startY = 0;
  let dragged = false;

  /** @param {boolean} raised */
  const raise = (raised) => {
    panel.classList.toggle("raised", raised);
    grip.setAttribute("aria-expanded", String(raised));
    locale.put(grip, "data-word-label", raised ? "collapse" : "expand");
    const log = byId("log", HTMLElement);
    log.scrollTop = log.scrollHeight;
  };

  grip.addEventListener("pointerdown", (event) => {
    startY = event.clientY;
    dragged = false;
    grip.setPointerCapture(event.pointerId);
  });
  grip.addEventListener("pointermove", (event) => {
    const movedPx = event.clientY - startY;
    if (!grip.hasPointerCapture(event.pointerId) || Math.abs(movedPx) < DRAG_PX) return;
    dragged = true;
    raise(movedPx < 0);
  });
  grip.addEventListener("click", () => {
    if (!dragged) raise(!panel.classList.contains("raised"));
    dragged = false;
  });
}

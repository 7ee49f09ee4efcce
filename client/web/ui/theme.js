// Light or dark: the system's choice until the viewer makes one.

import { byId } from "./dom.js";

const STORED = "anima.theme";

export function followTheme() {
  const root = document.documentElement;
  const stored = localStorage.getItem(STORED);
  if (stored) root.dataset.theme = stored;
  byId("theme", HTMLButtonElement).addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem(STORED, root.dataset.theme);
  });
}

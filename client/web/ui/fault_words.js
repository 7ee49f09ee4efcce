// A fault in words a person understands, with what the server said about it beneath.

import { element } from "./dom.js";

/**
 * @param {import("../faults.js").Fault} fault
 * @param {import("./locale.js").Locale} locale
 * @returns {HTMLElement[]}
 */
export function faultWords(fault, locale) {
  const words = locale.word(`fault_${fault.kind}`, { n: Math.ceil(fault.retryAfterS ?? 10) });
  const parts = [element("p", { class: "fault-words" }, words)];
  const detail = [
    fault.message,
    fault.field && `${locale.word("faultField")}: ${fault.field}`,
    fault.limit && `${locale.word("faultLimit")}: ${fault.limit}`,
    fault.status && `HTTP ${fault.status}`,
  ].filter(Boolean);
  if (detail.length > 0) parts.push(element("p", { class: "fault-detail" }, detail.join(" · ")));
  return parts;
}

// Waiting before the next attempt, and for a place: a server without room says when asking again makes sense.

import { Fault } from "./faults.js";

const LONGEST_WAIT_S = 15;

/** A wait of which everybody waits another length: a quarter of spread, so that not all return in the same moment. */
export class Pause {
  /** Ends the wait. @type {(() => void) | null} */
  #wake = null;

  /**
   * @param {number} waitMs
   * @param {() => unknown} go
   */
  after(waitMs, go) {
    const end = () => {
      clearTimeout(timer);
      this.#wake = null;
      go();
    };
    const timer = setTimeout(end, spread(waitMs));
    this.#wake = end;
  }

  /** Wait no longer. */
  end() {
    this.#wake?.();
  }
}

/** @param {number} waitMs */
function spread(waitMs) {
  return waitMs * (0.875 + Math.random() * 0.25);
}

/**
 * Ask until there is room. A fault that says when to return is waited out; every other one, and the first after
 * `queueMs`, ends the waiting.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {{queueMs: number, waited: () => boolean, onFull: (waitS: number) => void}} how  `waited` says whether anybody
 *   still waits; `onFull` learns how long the next wait is.
 * @returns {Promise<T | null>} Null once nobody waits.
 */
export async function whenThereIsRoom(ask, { queueMs, waited, onFull }) {
  for (let leftMs = queueMs; ; ) {
    try {
      return await ask();
    } catch (error) {
      const again = error instanceof Fault && error.kind === "full" ? error.retryAfterS : null;
      if (again === null || leftMs <= 0) throw error;
      const waitMs = spread(1000 * Math.min(again, LONGEST_WAIT_S));
      leftMs -= Math.max(waitMs, 1);
      if (!waited()) return null;
      onFull(Math.ceil(waitMs / 1000));
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (!waited()) return null;
    }
  }
}

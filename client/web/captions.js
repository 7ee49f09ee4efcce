// Captions on media time: which sentence is on screen, and how far into it the voice is, at the frame being shown.

/**
 * @typedef {object} Sentence
 * @property {number} segment  Its number; words name the sentence they belong to.
 * @property {string} text
 * @property {number} startS  Media time at which it begins to sound.
 * @property {number} epoch
 * @property {SpokenWord[]} words  In order of time.
 */

/**
 * @typedef {object} SpokenWord
 * @property {number} begin  First character in the sentence's text.
 * @property {number} end  One past the last.
 * @property {number} startS
 */

/**
 * @typedef {object} CaptionView  What to draw, at most two lines: `text` split into said, being said, to come.
 * @property {string} text
 * @property {number} begin
 * @property {number} end
 */

/** A caption stays this long after its last word if nothing follows. */
export const LINGER_S = 2.5;

/** Two lines of a caption; a Chinese character is as wide as two Latin letters. */
const CAPTION_COLUMNS = 80;

/** Seconds of sentences kept behind the picture. */
const KEEP_S = 30;

/** The sentences and words of one conversation, ordered by media time. */
export class CaptionTrack {
  /** @type {Sentence[]} */
  #sentences = [];
  #epoch = 0;

  /**
   * @param {number} segment
   * @param {string} text
   * @param {number} startS
   * @param {number} epoch
   */
  addSentence(segment, text, startS, epoch) {
    if (epoch < this.#epoch || text.trim() === "") return;
    this.#epoch = epoch;
    this.#sentences = this.#sentences.filter((s) => s.startS > startS - KEEP_S);
    this.#sentences.push({ segment, text, startS, epoch, words: [] });
    this.#sentences.sort((a, b) => a.startS - b.startS);
  }

  /**
   * Place a word in its sentence, past the words placed before it.
   * @param {number} segment
   * @param {string} word
   * @param {number} startS
   */
  addWord(segment, word, startS) {
    const sentence = this.#sentences.find((s) => s.segment === segment);
    const needle = word.trim();
    if (!sentence || needle === "") return;
    const begin = sentence.text.indexOf(needle, sentence.words.at(-1)?.end ?? 0);
    if (begin >= 0) sentence.words.push({ begin, end: begin + needle.length, startS });
  }

  /**
   * An interruption: what carries an older epoch is never shown again.
   * @param {number} epoch
   */
  cut(epoch) {
    this.#epoch = Math.max(this.#epoch, epoch);
    this.#sentences = this.#sentences.filter((s) => s.epoch >= epoch);
  }

  clear() {
    this.#sentences = [];
    this.#epoch = 0;
  }

  /**
   * @param {number} mediaS  Media time of the frame on screen.
   * @returns {CaptionView | null}
   */
  at(mediaS) {
    const index = this.#sentences.findLastIndex((s) => s.startS <= mediaS);
    if (index < 0) return null;
    const sentence = this.#sentences[index];
    const heard = sentence.words.filter((w) => w.startS <= mediaS);
    const current = heard.at(-1);
    const pending = sentence.words.length > heard.length;
    const lastS = sentence.words.at(-1)?.startS ?? sentence.startS;
    if (!pending && mediaS > lastS + LINGER_S + lengthS(sentence)) return null;
    return part(sentence.text, current?.begin ?? 0, current?.end ?? 0);
  }
}

/**
 * A long sentence is shown in parts of about equal length, broken between words: the part in which `begin` lies.
 * @param {string} text
 * @param {number} begin
 * @param {number} end
 * @returns {CaptionView}
 */
export function part(text, begin, end) {
  const parts = Math.ceil(columns(text) / CAPTION_COLUMNS);
  let from = 0;
  for (let left = parts; left > 1; left -= 1) {
    const to = breakAfter(text, from, columns(text.slice(from)) / left);
    if (begin < to) return { text: text.slice(from, to).trimEnd(), begin: begin - from, end: Math.min(end, to) - from };
    from = to;
  }
  return { text: text.slice(from), begin: begin - from, end: end - from };
}

/** @param {string} text */
function columns(text) {
  return [...text].reduce((sum, character) => sum + width(character), 0);
}

/** @param {string} character */
function width(character) {
  return /[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]/.test(character) ? 2 : 1;
}

/**
 * @param {string} text
 * @param {number} from
 * @param {number} wanted  Columns.
 * @returns {number} Where to break: the first place after so many columns at which a line may end.
 */
function breakAfter(text, from, wanted) {
  let seen = 0;
  for (let i = from; i < text.length; i += 1) {
    seen += width(text[i]);
    const mayEnd = text[i] === " " || (width(text[i]) === 2 && !/[\u3000-\u303f\uff00-\uffef]/.test(text[i + 1] ?? ""));
    if (seen >= wanted && mayEnd) return i + 1;
  }
  return text.length;
}

/**
 * Rough time the rest of a sentence needs after its last placed word, so that one without word times does not vanish early.
 * @param {Sentence} sentence
 * @returns {number}
 */
function lengthS(sentence) {
  const left = sentence.text.length - (sentence.words.at(-1)?.end ?? 0);
  const perCharacterS = /[\u3400-\u9fff]/.test(sentence.text) ? 0.25 : 0.07;
  return left * perCharacterS;
}

const RTP_HZ = 90_000;
const RTP_WRAP = 2 ** 32;

/**
 * Tells the media time of the picture on screen.
 *
 * Best source: the RTP timestamp of the frame shown, when the server told its origin. Without it: the server's messages
 * are sent at the media time they name, so the least delayed of them gives the offset between its clock and ours.
 */
export class MediaClock {
  /** @type {number | null} */
  #rtpOrigin = null;
  /** @type {{mediaS: number, atS: number} | null} */
  #frame = null;
  /** @type {number | null} */
  #leadS = null;

  /** @param {number} rtpOrigin  RTP timestamp of media time zero, 90 kHz. */
  setRtpOrigin(rtpOrigin) {
    this.#rtpOrigin = rtpOrigin;
  }

  reset() {
    this.#rtpOrigin = null;
    this.#frame = null;
    this.#leadS = null;
  }

  /**
   * A frame is shown.
   * @param {number} rtpTimestamp
   * @param {number} nowS
   */
  frameShown(rtpTimestamp, nowS) {
    const mediaS = this.mediaOf(rtpTimestamp);
    if (mediaS !== null) this.#frame = { mediaS, atS: nowS };
  }

  /**
   * A message named a media time and has just arrived.
   * @param {number} mediaS
   * @param {number} nowS
   */
  messageArrived(mediaS, nowS) {
    const lead = mediaS - nowS;
    if (this.#leadS === null || lead > this.#leadS) this.#leadS = lead;
  }

  /**
   * @param {number} rtpTimestamp
   * @returns {number | null} Seconds, or null while the origin is unknown.
   */
  mediaOf(rtpTimestamp) {
    if (this.#rtpOrigin === null) return null;
    const ticks = (rtpTimestamp - this.#rtpOrigin) % RTP_WRAP;
    const wrapped = ticks < -RTP_WRAP / 2 ? ticks + RTP_WRAP : ticks > RTP_WRAP / 2 ? ticks - RTP_WRAP : ticks;
    return wrapped / RTP_HZ;
  }

  /**
   * @param {number} nowS
   * @returns {number | null} Media time on screen now; null before anything is known.
   */
  now(nowS) {
    // a frame older than a second means a hidden tab or a stall: the message clock is then the better guess
    if (this.#frame && nowS - this.#frame.atS < 1) return this.#frame.mediaS + (nowS - this.#frame.atS);
    if (this.#leadS !== null) return nowS + this.#leadS;
    return null;
  }
}

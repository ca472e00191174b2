// What the callee hears at a moment of a call, and how far the reading has come.

import { now } from "./clock.js";

const IDEOGRAPH_MS = 250; // four characters a second, as carriers read
const LETTER_MS = 70;
const STOP_MS = 220;
const PAUSE_MS = 1000; // before the text is read again
const LATE_MS = 2000; // what the way from the carrier to the ear may take: no word is lost to it

const heard = new Map(); // call id -> {keys, segment}

/**
 * The text of an answered `call` that is being read now: `{id, text, startedAt, plays}`.
 * A key of the menu starts its reply; any other changes nothing that is heard.
 */
export function segmentOf(call) {
  let known = heard.get(call.id);
  if (known === undefined) {
    const startedAt = Date.parse(call.answered_at);
    const plays = call.plays ?? Infinity;
    known = { keys: "", segment: { id: `${call.id}/0`, text: call.text, startedAt, plays } };
    heard.set(call.id, known);
  }
  if (call.keys.length > known.keys.length) {
    const reply = call.reply_texts[call.keys.at(-1)];
    if (reply) {
      const id = `${call.id}/${call.keys.length}`;
      known.segment = { id, text: reply, startedAt: now(), plays: 1 };
    }
    known.keys = call.keys;
  }
  return known.segment;
}

function millisecondsFor(character) {
  if (/[\u3400-\u9fff\d]/.test(character)) return IDEOGRAPH_MS;
  return /[\u3001\u3002\uff0c\uff1b\uff01\uff1f,.;!?]/.test(character) ? STOP_MS : LETTER_MS;
}

const lengthOf = (text) =>
  Array.from(text, millisecondsFor).reduce((sum, ms) => sum + ms, PAUSE_MS);

const elapsed = (segment) => Math.max(0, now() - segment.startedAt);

/** Which reading of `segment` this is, from 0: the voice starts again with it. */
export const reading = (segment) =>
  Math.min(Math.floor(elapsed(segment) / lengthOf(segment.text)), segment.plays - 1);

const sinceItBegan = (segment) => elapsed(segment) - reading(segment) * lengthOf(segment.text);

/** The character from which a voice joins in: the first one, unless that was missed by far. */
export const joinsAt = (segment) => (sinceItBegan(segment) < LATE_MS ? 0 : reached(segment));

/** How many characters of `segment` have been read at the pace of a carrier. */
export function reached(segment) {
  let left = sinceItBegan(segment);
  let index = 0;
  for (const character of segment.text) {
    left -= millisecondsFor(character);
    if (left < 0) break;
    index += character.length;
  }
  return index;
}

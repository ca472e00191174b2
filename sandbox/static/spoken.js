// What the callee hears at a moment of a call, and how far the reading has come.

import { now } from "./clock.js";

const IDEOGRAPH_MS = 250; // four characters a second, as carriers read
const LETTER_MS = 70;
const STOP_MS = 220;
const PAUSE_MS = 1000; // before the text is read again

const heard = new Map(); // call id -> {keys, segment}

/**
 * The text of an answered `call` that is being read now: `{id, text, startedAt, again}`.
 * A key with a reply starts the reply; any other key of an Alibaba menu starts the text again.
 */
export function segmentOf(call) {
  let known = heard.get(call.id);
  if (known === undefined) {
    const startedAt = Date.parse(call.answered_at) || now();
    const segment = { id: `${call.id}/0`, text: call.text, startedAt, again: true };
    known = { keys: "", segment };
    heard.set(call.id, known);
  }
  if (call.keys.length > known.keys.length) {
    const reply = call.reply_texts?.[call.keys.at(-1)];
    const id = `${call.id}/${call.keys.length}`;
    if (reply) {
      known.segment = { id, text: reply, startedAt: now(), again: false };
    } else if (call.carrier === "alibaba") {
      known.segment = { id, text: call.text, startedAt: now(), again: true };
    }
    known.keys = call.keys;
  }
  return known.segment;
}

function millisecondsFor(character) {
  if (/[\u3400-\u9fff\d]/.test(character)) return IDEOGRAPH_MS;
  return /[,。;!?、,.;!?]/.test(character) ? STOP_MS : LETTER_MS;
}

/** How many characters of `segment` have been read at the pace of a carrier. */
export function reached(segment) {
  const pace = Array.from(segment.text, millisecondsFor);
  const total = pace.reduce((sum, ms) => sum + ms, 0);
  let left = Math.max(0, now() - segment.startedAt);
  if (segment.again) left %= total + PAUSE_MS;
  let index = 0;
  for (const character of segment.text) {
    left -= millisecondsFor(character);
    if (left < 0) break;
    index += character.length;
  }
  return index;
}

/** Which reading of `segment` this is, from 0: the voice starts again with it. */
export function round(segment) {
  if (!segment.again) return 0;
  const total = Array.from(segment.text, millisecondsFor).reduce((sum, ms) => sum + ms, 0);
  return Math.floor(Math.max(0, now() - segment.startedAt) / (total + PAUSE_MS));
}

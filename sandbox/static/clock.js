// The sandbox's clock, carried on between two answers of the sandbox.

import { languageTag } from "./words.js";

let readAt = performance.now();
let sandboxMs = Date.now();
let speed = 1;

/** Take over `{now, speed}` as the sandbox just said it. */
export function setTo(clock) {
  readAt = performance.now();
  sandboxMs = Date.parse(clock.now);
  speed = clock.speed;
}

/** Now in the sandbox, in milliseconds since 1970. */
export const now = () => sandboxMs + (performance.now() - readAt) * speed;

export const currentSpeed = () => speed;

const at = (ms, options) => new Intl.DateTimeFormat(languageTag(), options).format(ms);

export const hoursMinutes = (ms) =>
  at(ms, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
export const timeOfDay = (ms) =>
  at(ms, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
export const dayOfWeek = (ms) => at(ms, { weekday: "long", month: "long", day: "numeric" });

/** `m:ss` of a length in milliseconds. */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

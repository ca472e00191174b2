// The sandbox's control API. Addresses are relative, so that the page also works behind a path.

/** Send one request; returns its JSON (null when there is none) or throws what the sandbox said. */
async function ask(method, path, body) {
  const response = await fetch(`sandbox/${path}`, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    throw new Error(`HTTP ${response.status}`);
  }
  if (!response.ok) throw new Error(answer?.error ?? `HTTP ${response.status}`);
  return answer;
}

const part = encodeURIComponent;

export const getState = () => ask("GET", "state");
export const getRequests = () => ask("GET", "requests");
export const getPushes = () => ask("GET", "pushes");
export const getFaults = (carrier) => ask("GET", `faults/${part(carrier)}`);
export const putFaults = (carrier, faults) => ask("PUT", `faults/${part(carrier)}`, faults);
export const putSettings = (patch) => ask("PUT", "settings", patch);
export const putPhone = (number, phone) => ask("PUT", `phones/${part(number)}`, phone);
export const resetPhone = (number) => ask("DELETE", `phones/${part(number)}`);
export const actOnCall = (id, action) => ask("POST", `calls/${part(id)}/${action}`);
export const pressKey = (id, digit) => ask("POST", `calls/${part(id)}/press`, { digit });
export const replyToText = (number, text, carrier) =>
  ask("POST", `texts/${part(number)}/reply`, { text, carrier });
export const setClock = (change) => ask("POST", "clock", change);
export const reset = () => ask("POST", "reset");

const AGAIN_AFTER_MS = 1000;

/**
 * Listen to the sandbox. `onOpen` runs at every (re-)connection, since what was sent in between
 * is lost and has to be fetched; `onLost` when the connection breaks; `onRequest` when a carrier
 * was asked for something.
 */
export function listen(hears) {
  const source = new EventSource("sandbox/events");
  source.addEventListener("open", hears.onOpen);
  source.addEventListener("call", (event) => hears.onCall(JSON.parse(event.data)));
  source.addEventListener("text", (event) => hears.onText(JSON.parse(event.data)));
  source.addEventListener("mail", (event) => hears.onMail(JSON.parse(event.data)));
  source.addEventListener("state", hears.onState);
  source.addEventListener("request", hears.onRequest);
  source.addEventListener("error", () => {
    source.close(); // the browser's own retry gives up on an HTTP error
    hears.onLost();
    setTimeout(() => listen(hears), AGAIN_AFTER_MS);
  });
}

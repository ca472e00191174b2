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
export const setClock = (change) => ask("POST", "clock", change);
export const reset = () => ask("POST", "reset");

/**
 * Listen to the sandbox. `onOpen` runs at every (re-)connection, since what was sent in between
 * is lost and has to be fetched; `onLost` when the connection breaks.
 */
export function listen({ onOpen, onLost, onCall, onState }) {
  const source = new EventSource("sandbox/events");
  source.addEventListener("open", onOpen);
  source.addEventListener("call", (event) => onCall(JSON.parse(event.data)));
  source.addEventListener("state", onState);
  source.addEventListener("error", () => {
    onLost();
    // The browser retries a broken connection itself, but gives up on an HTTP error.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => listen({ onOpen, onLost, onCall, onState }), 2000);
    }
  });
}

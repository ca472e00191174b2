// The handset page: the sandbox's state, drawn, and what the hands on it do.

import * as api from "./api.js";
import * as clock from "./clock.js";
import { icon, readable, unreadBadge } from "./drawing.js";
import { createMailbox } from "./mailbox.js";
import { createCarriers, createPushes, createRequests } from "./panels.js";
import { createPhone, KEYS } from "./phone.js";
import * as sound from "./sound.js";
import { joinsAt, reading, segmentOf } from "./spoken.js";
import { languageTag, switchLanguage, t, translate, write } from "./words.js";

const SPEEDS = [1, 2, 5, 10, 60];
const TICK_MS = 100;
const REFRESH_MS = 250;
const LOOK_AGAIN_MS = 1000;
const FASTEST_SPEECH = 2; // above that speed a voice cannot keep up with the clock
const THEMES = ["auto", "light", "dark"];
const THEME_KEY = "ringback.sandbox.theme";

const at = (id) => document.getElementById(id);
const calls = new Map(); // id -> call
const texts = new Map(); // id -> text
const mails = new Map(); // id -> mail
const phones = new Map(); // number -> view
let state = { settings: null, phones: [] };
let handled = null; // number of the phone that was touched last

// --- the sandbox's state ------------------------------------------------------------------------

function doing(promise) {
  promise.catch((error) => complain(t("failed", { why: error.message })));
}

function keep(call) {
  if (call.ring_s_left !== undefined && call.ring_s_left !== null) {
    call.ringing_until = clock.now() + call.ring_s_left * 1000;
  }
  calls.set(call.id, call);
}

// What changed while the state was on its way, newer than it.
let meanwhile = { calls: [], texts: [], mails: [] };

function refill(map, fetched, heard) {
  map.clear();
  for (const one of [...[...fetched].reverse(), ...heard]) map.set(one.id, one); // oldest first
}

async function fetchAll() {
  meanwhile = { calls: [], texts: [], mails: [] };
  const fetched = await api.getState();
  clock.setTo(fetched.clock);
  state = fetched;
  calls.clear();
  for (const call of [...fetched.calls, ...meanwhile.calls]) keep(call);
  refill(texts, fetched.texts, meanwhile.texts);
  refill(mails, fetched.mails, meanwhile.mails);
  drawAll();
  refreshWire();
}

let lastSync = Promise.resolve();

/** Fetch everything: at the start, after a broken connection, after a change of phones. */
function sync() {
  lastSync = lastSync.then(fetchAll, fetchAll); // one after the other: no older answer wins
  return lastSync;
}

let syncTimer = null;
function syncSoon() {
  clearTimeout(syncTimer);
  syncTimer = setTimeout(() => doing(sync()), 60);
}

function hear(call) {
  const before = calls.get(call.id);
  meanwhile.calls.push(call);
  keep(call);
  const view = phones.get(call.number);
  if (view === undefined) {
    syncSoon(); // a number nobody has called before: its phone is new
    return;
  }
  const times = [call.created_at, call.ringing_at, call.answered_at, call.ended_at];
  const newest = Math.max(...times.filter(Boolean).map(Date.parse));
  if (newest > clock.now() + 1500) syncSoon(); // somebody moved the clock
  drawPhone(call.number);
  announce(view, before, call);
  sounds();
  refreshWire();
}

function hearText(text) {
  meanwhile.texts.push(text);
  texts.set(text.id, text);
  refreshWire();
  const view = phones.get(text.number);
  if (view === undefined) {
    syncSoon(); // as above
    return;
  }
  const before = view.unread();
  drawPhone(text.number);
  if (view.unread() > before) {
    at("announce").textContent = t("text.announce", { phone: view.name(), from: text.sign });
  }
}

function hearMail(mail) {
  meanwhile.mails.push(mail);
  mails.set(mail.id, mail);
  refreshWire();
  drawMails();
  at("announce").textContent = t("mail.announce", { from: mail.from, subject: mail.subject });
}

// --- drawing ------------------------------------------------------------------------------------

function callsOf(number) {
  const own = [...calls.values()].filter((call) => call.number === number);
  return own.sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at));
}

function drawPhone(number) {
  const phone = state.phones.find((known) => known.number === number);
  phones.get(number).show(
    phone ?? { number, behaviour: "ring", sms: "deliver" },
    callsOf(number),
    [...texts.values()].filter((text) => text.number === number).reverse(),
  );
}

function drawMails() {
  mailbox.show([...mails.values()].reverse());
}

function drawAll() {
  const numbers = new Set([
    ...state.phones.map((phone) => phone.number),
    ...[...calls.values()].map((call) => call.number).reverse(),
    ...[...texts.values()].map((text) => text.number),
  ]);
  for (const [number, view] of phones) {
    if (numbers.has(number)) continue;
    view.element.remove();
    phones.delete(number);
  }
  const first = phones.size === 0;
  for (const number of numbers) {
    if (!phones.has(number)) {
      const view = createPhone(number, does);
      phones.set(number, view);
      at("add").before(view.element);
    }
    drawPhone(number);
  }
  // The row keeps to what it shows, which was the empty place till the first phone came.
  if (first) at("phones").scrollLeft = 0;
  at("phones").classList.toggle("none", numbers.size === 0);
  drawMails();
  carriers.show(state.settings, [...numbers]);
  const speed = clock.currentSpeed();
  const speeds = SPEEDS.includes(speed) ? SPEEDS : [...SPEEDS, speed].sort((a, b) => a - b);
  at("clock-speed").replaceChildren(...speeds.map((s) => new Option(`×${s}`, s, false, s === speed)));
  sounds();
}

function drawWords() {
  document.documentElement.lang = languageTag();
  translate(document.body);
  for (const button of document.querySelectorAll("[data-advance]")) {
    button.setAttribute("aria-label", t("clock.advance_by", { by: button.textContent.slice(1) }));
  }
  drawSwitches();
}

const does = {
  answer: (call) => act(call, "answer"),
  reject: (call) => act(call, "reject"),
  hangup: (call) => act(call, "hangup"),
  press(call, key) {
    handled = call.number;
    sound.keyTone(key);
    doing(api.pressKey(call.id, key));
  },
  behave: (number, settings) => doing(api.putPhone(number, settings)),
  reset: (number) => doing(api.resetPhone(number)),
  reply: (number, text, carrier) => doing(api.replyToText(number, text, carrier)),
};

function act(call, action) {
  handled = call.number;
  const { element } = phones.get(call.number);
  element.focus({ preventScroll: true }); // its button goes away: keep the keyboard on this phone
  if (action === "answer") {
    // All its keys are to be seen.
    element.firstElementChild.scrollIntoView({ block: "nearest", inline: "nearest" });
  }
  doing(api.actOnCall(call.id, action));
}

// --- what is heard and announced ----------------------------------------------------------------

const ringing = () => [...phones.values()].filter((view) => view.current()?.status === "ringing");

// One voice at a time: the phone in hand, else the newest answered call.
function audibleCall() {
  const answered = [...phones.values()]
    .map((view) => view.current())
    .filter((call) => call?.status === "answered")
    .sort((a, b) => Date.parse(b.answered_at) - Date.parse(a.answered_at));
  return answered.find((call) => call.number === handled) ?? answered[0] ?? null;
}

let saying = null; // what was last handed to the voice

function sounds() {
  sound.ring(ringing().length > 0);
  const call = audibleCall();
  const segment = call && sound.isHeard() && clock.currentSpeed() <= FASTEST_SPEECH
    ? segmentOf(call) : null;
  const wanted = segment && `${segment.id}#${reading(segment)}`;
  if (wanted === saying) return;
  // A voice slower than the carrier's finishes its sentence before it starts the text again.
  if (segment && sound.isSaying(segment.id)) return;
  saying = wanted;
  if (segment === null) sound.hush();
  else sound.say(segment.id, segment.text, { from: joinsAt(segment), rate: clock.currentSpeed() });
}

function announce(view, before, call) {
  if (call.status === before?.status) return;
  if (call.status === "ringing") {
    bringIntoRow(view);
    at("announce-now").textContent = t("ringing.announce", {
      phone: view.name(),
      from: call.from ? readable(call.from) : t("unknown"),
      carrier: t(`carrier.${call.carrier}`),
    });
  } else if (call.status === "ended") {
    at("announce").textContent = t("ended.announce", {
      phone: view.name(),
      outcome: t(`outcome.${call.outcome}`),
    });
  }
}

// On a small screen the phones are a row to be swiped: the one that rings comes into view,
// unless another is in use or something is being typed.
function bringIntoRow(view) {
  const row = at("phones");
  const inUse = [...phones.values()].some(
    (other) => other !== view && ["ringing", "answered"].includes(other.current()?.status),
  );
  if (row.scrollWidth <= row.clientWidth || inUse || row.querySelector("input:focus")) return;
  const { offsetLeft, offsetWidth } = view.element;
  row.scrollTo({ left: offsetLeft - (row.clientWidth - offsetWidth) / 2, behavior: "smooth" });
}

const unread = () =>
  [...phones.values()].reduce((sum, view) => sum + view.unread(), mailbox.unread());

let waiting = null; // how many were unread when it was last looked at
function chime() {
  const count = unread();
  if (waiting !== null && count > waiting) sound.chime();
  if (state.settings !== null) waiting = count; // what was there before the page does not sound
}

function drawTitle() {
  const [first] = ringing();
  const flash = first && Math.floor(performance.now() / 800) % 2 === 0;
  const count = unread();
  const still = count > 0 ? `(${count}) ${t("title")}` : t("title");
  const title = flash ? `☎ ${t("ringing")} ${first.name()}` : still;
  if (document.title !== title) document.title = title;
}

// On a small screen one phone is in view: the roster says what the others do.
function drawRoster() {
  const roster = at("roster");
  roster.hidden = phones.size < 2;
  const drawing = JSON.stringify([...phones].map(([number, view]) => [number, view.name()]));
  if (roster.dataset.drawing !== drawing) {
    roster.dataset.drawing = drawing;
    roster.replaceChildren(...[...phones.values()].map((view) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "pill";
      const badge = document.createElement("span");
      badge.className = "unread";
      badge.setAttribute("role", "img");
      button.append(view.name(), badge);
      button.addEventListener("click", () => goTo(view));
      return button;
    }));
  }
  if (roster.offsetParent === null) return;
  const off = ({ element }) => {
    const { left, width } = element.getBoundingClientRect();
    return Math.abs(left + width / 2 - innerWidth / 2);
  };
  const views = [...phones.values()];
  const inView = views.reduce((best, view) => (off(view) < off(best) ? view : best), views[0]);
  views.forEach((view, i) => {
    const button = roster.children[i];
    button.dataset.status = view.current()?.status ?? "idle";
    unreadBadge(button.querySelector(".unread"), view.unread());
    button.setAttribute("aria-current", String(view === inView));
  });
}

function goTo({ element }) {
  element.scrollIntoView({ block: "nearest", inline: "center", behavior: "smooth" });
  element.focus({ preventScroll: true });
}

// A phone that rings above or below the window is easily missed.
function drawBanner() {
  const away = ringing().find(({ element }) => {
    const { bottom } = element.firstElementChild.getBoundingClientRect();
    return bottom < 150 || bottom - 90 > innerHeight; // its buttons are out of the window
  });
  const banner = at("banner");
  banner.hidden = away === undefined;
  if (away === undefined) return;
  write(banner.querySelector("span"), t("ringing.banner", { phone: away.name() }));
  banner.onclick = (event) => {
    event.preventDefault();
    goTo(away);
  };
}

let toastUntil = 0;
function complain(words) {
  at("toast").textContent = words;
  at("toast").hidden = false;
  toastUntil = performance.now() + 6000;
}

function tick() {
  write(at("clock-now"), clock.timeOfDay(clock.now()));
  for (const view of phones.values()) view.tick();
  unreadBadge(document.querySelector("#to-mailbox .unread"), mailbox.unread());
  sounds();
  chime();
  drawTitle();
  drawRoster();
  drawBanner();
  drawSwitches();
  if (performance.now() > toastUntil) at("toast").hidden = true;
}

const mailbox = createMailbox(at("mailbox"));

// --- what went over the wire --------------------------------------------------------------------

const carriers = createCarriers(at("carriers"), doing);
const showRequests = createRequests(at("requests"));
const showPushes = createPushes(at("pushes"));

let refreshing = null;
let lookingAgain = null;
function refreshWire() {
  clearTimeout(lookingAgain);
  refreshing ??= setTimeout(() => {
    refreshing = null;
    doing(drawWire());
  }, REFRESH_MS);
}

async function drawWire() {
  const [pushes] = await Promise.all([showPushes(), showRequests(), carriers.showFaults()]);
  // Nothing tells of a callback that was taken: look again while one is on its way.
  if (pushes.some((push) => push.state === "waiting")) {
    lookingAgain = setTimeout(refreshWire, LOOK_AGAIN_MS);
  }
}

// --- switches -----------------------------------------------------------------------------------

let theme = "auto";
try {
  theme = THEMES.find((known) => known === localStorage.getItem(THEME_KEY)) ?? "auto";
} catch {
  // storage is forbidden: the theme lasts as long as the page
}
let muted = false;

function drawSwitches() {
  document.documentElement.dataset.theme = theme;
  label(at("theme"), t(`theme.${theme}`), `i-${theme}`);
  at("sound-enable").hidden = muted || sound.isHeard();
  at("sound").hidden = !at("sound-enable").hidden;
  label(at("sound"), t(muted ? "sound.off" : "sound.on"), muted ? "i-mute" : "i-sound");
  at("speech-note").hidden = sound.canSpeak();
}

function label(button, words, iconId) {
  if (button.title === words) return;
  button.title = words;
  button.setAttribute("aria-label", words);
  button.replaceChildren(icon(iconId));
}

at("language").addEventListener("click", () => {
  switchLanguage();
  drawWords();
  if (state.settings !== null) drawAll();
  refreshWire();
});
at("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try {
    localStorage.setItem(THEME_KEY, theme);
  } catch {
    // storage is forbidden: the theme lasts as long as the page
  }
  drawSwitches();
});
at("sound").addEventListener("click", () => {
  muted = !muted;
  doing(sound.setMuted(muted));
});
for (const gesture of ["pointerdown", "keydown"]) {
  addEventListener(gesture, () => {
    if (!muted) sound.unlock().catch(() => {}); // the button stays there to try again
  });
}

at("clock-speed").addEventListener("change", (event) => {
  doing(api.setClock({ speed: Number(event.target.value) }).then(sync));
});
for (const button of document.querySelectorAll("[data-advance]")) {
  button.addEventListener("click", () => {
    doing(api.setClock({ advance_s: Number(button.dataset.advance) }).then(sync));
  });
}
at("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  const phone = { behaviour: "ring" };
  if (form.label.value.trim()) phone.label = form.label.value.trim();
  doing(
    api.putPhone(form.number.value.trim(), phone).then(async ({ number }) => {
      form.reset();
      await sync();
      goTo(phones.get(number));
    }),
  );
});
at("clear").addEventListener("click", () => {
  if (confirm(t("clear.ask"))) doing(api.reset().then(sync));
});

/** The phone with this status that has the focus, else the one touched last, else the first. */
function viewInHand(status) {
  const views = [...phones.values()].filter((view) => view.current()?.status === status);
  return views.find(({ element }) => element.contains(document.activeElement)) ??
    views.find((view) => view.current().number === handled) ?? views[0];
}

// Enter answers, Escape declines or hangs up, digits press keys.
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("input, select, textarea")) return;
  const { key } = event;
  if (key === "Enter" && event.target.closest("a, button, summary")) return; // is pressed by it
  const [inCall, rings] = [viewInHand("answered"), viewInHand("ringing")];
  if (KEYS.includes(key) && inCall) inCall.press(key);
  else if (key === "Enter" && rings) act(rings.current(), "answer");
  else if (key === "Escape" && inCall) act(inCall.current(), "hangup");
  else if (key === "Escape" && rings) act(rings.current(), "reject");
  else return;
  event.preventDefault();
});

drawWords();
api.listen({
  onOpen() {
    at("offline").hidden = true;
    doing(sync());
  },
  onLost() {
    at("offline").hidden = false;
  },
  onCall: hear,
  onText: hearText,
  onMail: hearMail,
  onState: syncSoon,
  onRequest: refreshWire,
});
setInterval(tick, TICK_MS);

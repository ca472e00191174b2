// One phone on the desk: its screen, what it does when called or texted, its calls.

import * as clock from "./clock.js";
import {
  badge, createTabs, fillChoices, fitFields, fromTemplate, readable, unreadBadge,
} from "./drawing.js";
import { createMessages } from "./messages.js";
import { reached, segmentOf } from "./spoken.js";
import { languageOf, spokenTo } from "./sound.js";
import { knows, t, translate, write } from "./words.js";

export const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

const LETTERS = { 0: "+", 2: "ABC", 3: "DEF", 4: "GHI", 5: "JKL", 6: "MNO", 7: "PQRS", 8: "TUV", 9: "WXYZ" };
const SPOKEN_KEYS = { "*": "key.star", "#": "key.hash" };
const BEHAVIOURS = [
  "ring", "press", "answer", "voicemail", "no_answer", "reject", "busy", "off",
  "out_of_coverage", "bad_number", "suspended", "over_concurrency",
];
const TEXTING = ["deliver", "fail", "silent"];
const ENDED_SHOWN_MS = 30_000;
const LOG_SHOWN = 4;
const SEALS = { key: "#i-check", heard: "#i-phone", missed: "#i-cross" };

const fromOf = (call) => (call.from ? readable(call.from) : t("unknown"));

function outcomeWords(outcome) {
  const key = `outcome.${outcome ?? "unknown"}`;
  return knows(key) ? t(key) : outcome;
}

const outcomeOf = (call) =>
  call.status === "ended" ? outcomeWords(call.outcome) : t(`status.${call.status}`);

/** How a call ended for whoever paged: only a key proves that somebody heard it. */
const endOf = (call) => (call.keys ? "key" : call.answered_at ? "heard" : "missed");

/** A line of the sandbox's log: `ringing`, `pressed 1`, `hears: …`, `ended: busy`. */
function stageWords(text) {
  const [, word, rest] = /^(\w+):? ?(.*)$/s.exec(text) ?? [null, text, ""];
  if (!knows(`stage.${word}`)) return text;
  return t(`stage.${word}`, { rest: word === "ended" ? outcomeWords(rest) : rest });
}

// The sandbox has one word for answering; the page tells pressing keys from saying nothing.
const behaviourShown = (phone) =>
  phone.behaviour === "answer" && phone.keys?.length ? "press" : phone.behaviour;

// Numbers that differ in one digit get colours that differ.
const hueOf = (number) => [...number].reduce((hue, c) => (hue * 31 + c.charCodeAt(0) * 47) % 360, 7);

function keypad(onPress) {
  return KEYS.map((key) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.key = key;
    const letters = document.createElement("small");
    letters.textContent = LETTERS[key] ?? "";
    button.append(key, letters);
    button.addEventListener("click", () => onPress(key));
    return button;
  });
}

/**
 * Make the phone of `number`.
 *
 * `does`: `answer(call)`, `reject(call)`, `hangup(call)`, `press(call, key)`,
 * `behave(number, settings)`, `reset(number)`, `reply(number, text, carrier)`.
 * Returns `{element, show(phone, calls, texts), tick(), press(key), current(), unread(), name()}`;
 * `calls` and `texts` are this number's, newest first.
 */
export function createPhone(number, does) {
  const element = fromTemplate("phone-template");
  const all = (selector) => element.querySelectorAll(selector);
  const one = (selector) => element.querySelector(selector);
  const behaviour = one("form.behaviour");
  const [said, unsaid] = one(".spoken").children;
  const dismissed = new Set();
  const endingSeen = new Map(); // call id -> when this page saw it end
  const openLogs = new Set();
  let phone = { number, behaviour: "ring", sms: "deliver" };
  let app = "idle"; // what the screen shows between calls: "idle" or "messages"
  let calls = null;
  let showAll = false;
  let drawnLog = "";
  let drawnPhone = "";

  element.dataset.number = number;
  element.style.setProperty("--hue", hueOf(number));
  one(".keypad").append(...keypad((key) => press(key)));
  const messages = createMessages(one(".view.messages"), (text, carrier) => does.reply(number, text, carrier));
  const markApp = createTabs(one(".dock"), open);

  // A call that found the phone busy begins later and ends sooner than the one it is busy with.
  const lastEnded = () =>
    calls
      ?.filter((call) => call.status === "ended")
      .sort((a, b) => Date.parse(b.ended_at) - Date.parse(a.ended_at))[0];

  /** The call that the screen shows: one that rings or speaks, else one that has just ended. */
  const current = () => {
    const active = calls?.find((call) => call.status === "ringing" || call.status === "answered");
    if (active) return active;
    const last = lastEnded();
    if (last === undefined || dismissed.has(last.id)) return null;
    return performance.now() - (endingSeen.get(last.id) ?? 0) < ENDED_SHOWN_MS ? last : null;
  };

  const name = () => phone.label || readable(number);

  function open(chosen) {
    app = chosen;
    const ended = current();
    if (ended) dismissed.add(ended.id);
    draw();
    messages.toEnd();
  }

  function press(key) {
    const call = current();
    if (call?.status !== "answered") return;
    const button = one(`[data-key="${CSS.escape(key)}"]`);
    button.classList.add("down");
    setTimeout(() => button.classList.remove("down"), 160);
    does.press(call, key);
  }

  element.addEventListener("click", (event) => {
    const action = event.target.closest("[data-action]")?.dataset.action;
    const call = current();
    if (action === "reset") does.reset(number);
    if (action === "messages") {
      open("messages");
      one('.dock [value="messages"]').focus({ preventScroll: true }); // the notice goes away
    }
    if (action === "show-all") {
      showAll = true;
      drawLog();
    }
    if (action === "dismiss" && call) {
      dismissed.add(call.id);
      draw();
      element.focus({ preventScroll: true });
    }
    if (call && ["answer", "reject", "hangup"].includes(action)) does[action](call);
  });

  behaviour.addEventListener("submit", (event) => event.preventDefault());
  behaviour.addEventListener("change", () => {
    const chosen = behaviour.behaviour.value;
    const field = (input) => (input.value === "" ? null : Number(input.value));
    fitFields(one(".when-called"), chosen);
    fitFields(one(".when-texted"), behaviour.sms.value);
    if (chosen === "press" && behaviour.keys.value === "") behaviour.keys.value = "1";
    if (!behaviour.reportValidity()) return;
    const settings = { behaviour: chosen === "press" ? "answer" : chosen };
    if (phone.label) settings.label = phone.label;
    for (const input of [behaviour.after_s, behaviour.hangup_after_s]) {
      if (!input.disabled && field(input) !== null) settings[input.name] = field(input);
    }
    if (chosen === "press") settings.keys = behaviour.keys.value;
    settings.sms = behaviour.sms.value;
    const error = behaviour.sms_error.disabled ? phone.sms_error : behaviour.sms_error.value;
    if (error) settings.sms_error = error; // otherwise the sandbox's usual one
    does.behave(number, settings);
  });

  function drawPhone() {
    const drawing = JSON.stringify([phone, document.documentElement.lang]);
    if (drawing === drawnPhone) return;
    drawnPhone = drawing;
    translate(element);
    element.setAttribute("aria-label", t("phone", { number: name() }));
    element.dataset.behaviour = phone.behaviour;
    for (const label of all(".label")) {
      label.textContent = phone.label ?? "";
      label.hidden = !phone.label;
    }
    for (const shown of all(".number")) shown.textContent = readable(number);
    for (const button of all("[data-key]")) {
      const key = button.dataset.key;
      button.setAttribute(
        "aria-label",
        key in SPOKEN_KEYS ? t(SPOKEN_KEYS[key]) : t("key", { key }),
      );
    }
    const shown = behaviourShown(phone);
    const known = BEHAVIOURS.includes(shown) ? BEHAVIOURS : [...BEHAVIOURS, shown];
    fillChoices(behaviour.behaviour, known.map((value) => [value, t(`behaviour.${value}`)]));
    behaviour.behaviour.value = shown;
    for (const name of ["after_s", "keys", "hangup_after_s", "sms_error"]) {
      const input = behaviour[name];
      // Do not overwrite what is being typed.
      if (input !== document.activeElement) input.value = phone[name] ?? "";
    }
    behaviour.hangup_after_s.placeholder = t("never");
    fitFields(one(".when-called"), shown);
    fillChoices(behaviour.sms, TEXTING.map((value) => [value, t(`texting.${value}`)]));
    behaviour.sms.value = phone.sms;
    fitFields(one(".when-texted"), phone.sms);
  }

  function drawCall(call) {
    element.dataset.status = call?.status ?? "idle";
    element.dataset.app = app;
    markApp(app);
    one(".dock").hidden = call !== null && call.status !== "ended"; // a call takes the whole screen
    for (const view of all(".view")) view.hidden = !view.classList.contains(call?.status ?? app);
    if (call === null) {
      drawNotice();
      return;
    }
    const view = one(`.view.${call.status}`);
    const owner = phone.label;
    one(".what").textContent = owner ? t("ringing.for", { owner }) : t("ringing");
    for (const button of all("[data-key]")) {
      button.classList.toggle("used", call.keys.includes(button.dataset.key));
    }
    view.querySelector(".from").textContent = fromOf(call);
    badge(view.querySelector(".carrier"), call.carrier);
    const keys = call.keys ? t("keys.pressed", { keys: [...call.keys].join(" ") }) : "";
    const pressed = view.querySelector(".keys-pressed");
    if (pressed) write(pressed, keys);
    if (call.status !== "ended") return;
    view.dataset.end = endOf(call);
    one(".seal use").setAttribute("href", SEALS[endOf(call)]);
    one(".outcome").textContent = outcomeOf(call);
    one(".length").textContent = call.answered_at
      ? clock.duration(Date.parse(call.ended_at) - Date.parse(call.answered_at))
      : "";
  }

  function drawNotice() {
    const last = lastEnded();
    one(".notice").hidden = last === undefined;
    if (last === undefined) return;
    badge(one(".notice .carrier"), last.carrier);
    one(".notice-outcome").textContent = outcomeOf(last);
    one(".notice-detail").textContent = [
      clock.hoursMinutes(Date.parse(last.created_at)),
      last.answered_at && (last.keys ? t("keys.pressed", { keys: last.keys }) : t("keys.none")),
    ].filter(Boolean).join(" · ");
  }

  function logItem(call) {
    const item = fromTemplate("log-template");
    const details = item.querySelector("details");
    const heading = item.querySelector("b");
    item.querySelector("time").textContent = clock.timeOfDay(Date.parse(call.created_at));
    badge(item.querySelector(".carrier"), call.carrier);
    heading.textContent = outcomeOf(call);
    heading.className = call.status === "ended" ? endOf(call) : "";
    item.querySelector(".log-keys").textContent = call.keys;
    const told = item.querySelector("dl");
    tell(told, t("log.said"), call.text);
    for (const key of new Set(call.keys)) {
      const reply = call.reply_texts?.[key];
      if (reply) tell(told, t("log.replied", { key }), reply);
    }
    for (const entry of call.log ?? []) {
      const step = document.createElement("li");
      const at = document.createElement("time");
      at.textContent = clock.timeOfDay(Date.parse(entry.at));
      step.append(at, ` ${stageWords(entry.text)}`);
      item.querySelector(".steps").append(step);
    }
    details.open = openLogs.has(call.id);
    details.addEventListener("toggle", () => {
      openLogs[details.open ? "add" : "delete"](call.id);
    });
    return item;
  }

  function drawLog() {
    const shown = showAll ? calls : calls.slice(0, LOG_SHOWN);
    const drawing = JSON.stringify([shown, calls.length, document.documentElement.lang]);
    if (drawing === drawnLog) return;
    drawnLog = drawing;
    one(".log > ol").replaceChildren(...shown.map(logItem));
    one(".log-none").hidden = calls.length > 0;
    const more = one('[data-action="show-all"]');
    more.hidden = shown.length === calls.length;
    more.textContent = t("log.all", { n: calls.length });
  }

  function draw() {
    drawPhone();
    drawCall(current());
    drawLog();
    tick();
  }

  function drawUnread() {
    if (current() === null && app === "messages" && !document.hidden) messages.read();
    const [newest, ...others] = messages.unread();
    unreadBadge(one(".dock .unread"), newest ? 1 + others.length : 0);
    const notice = one(".text-notice");
    notice.hidden = newest === undefined;
    if (newest === undefined) return;
    write(notice.querySelector("b"), newest.sign);
    write(notice.querySelector("time"), clock.hoursMinutes(Date.parse(newest.at)));
    write(notice.querySelector(".text"), newest.text);
  }

  /** Take `phone`, its `calls` and `texts`, newest first, from the sandbox and draw them. */
  function show(newPhone, newCalls, texts) {
    for (const call of newCalls) {
      if (call.status !== "ended" || endingSeen.has(call.id)) continue;
      const age = calls === null ? clock.now() - Date.parse(call.ended_at) : 0;
      endingSeen.set(call.id, performance.now() - age);
    }
    phone = newPhone;
    calls = newCalls;
    messages.show(texts, phone);
    draw();
  }

  /** Move what moves by itself: clocks, the reading, a screen that falls asleep. */
  function tick() {
    const call = current();
    if ((call?.status ?? "idle") !== element.dataset.status) drawCall(call);
    drawUnread();
    const now = clock.now();
    write(one(".small-time"), clock.hoursMinutes(now));
    if (call === null) {
      write(one(".big-time"), clock.hoursMinutes(now));
      write(one(".date"), clock.dayOfWeek(now));
    } else if (call.status === "ringing") {
      const left = call.ringing_until ? Math.ceil((call.ringing_until - now) / 1000) : null;
      write(one(".left"), left > 0 ? t("ringing.left", { s: left }) : "");
    } else if (call.status === "answered") {
      write(one(".timer"), clock.duration(now - Date.parse(call.answered_at)));
      drawSpoken(segmentOf(call));
    }
  }

  function drawSpoken(segment) {
    const to = spokenTo(segment.id) ?? reached(segment);
    const [before, after] = [segment.text.slice(0, to), segment.text.slice(to)];
    if (said.textContent === before && unsaid.textContent === after) return;
    one(".spoken").lang = languageOf(segment.text);
    said.textContent = before;
    unsaid.textContent = after;
    const bubble = one(".bubble");
    const line = said.getBoundingClientRect().bottom - bubble.getBoundingClientRect().top;
    if (before === "") bubble.scrollTop = 0;
    else if (line > bubble.clientHeight - 12) bubble.scrollTop += line - bubble.clientHeight + 40;
  }

  const unread = () => messages.unread().length;

  return { element, show, tick, press, current, unread, name };
}

function tell(list, term, text) {
  const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
  dt.textContent = term;
  dd.textContent = text;
  list.append(dt, dd);
}

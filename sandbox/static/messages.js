// The texts of one phone: what came, what its owner answers.

import * as clock from "./clock.js";
import { arrange, badge, fromTemplate } from "./drawing.js";
import { t, write } from "./words.js";

const QUICK_REPLIES = ["1", "2", "3"];
const AT_END_PX = 20; // not scrolled back by more than this: the thread follows what comes

const isIncoming = (text) => text.direction === "out"; // the direction is the carrier's

/** Whether this has come to the phone. One that is silent gets its texts, but nobody hears of it. */
const hasCome = (text, phone) =>
  isIncoming(text) &&
  (text.status === "delivered" || (text.status === "sent" && phone.sms === "silent"));

function stateWords(text) {
  if (!isIncoming(text)) return "";
  return t(`text.${text.status}`, { error: text.error || "?" });
}

/**
 * Run the messages in `view`, the screen of the phone that shows them. `reply(text, carrier)` answers.
 * Returns `{show(texts, phone), unread(), read(), toEnd()}`; `texts` are this number's, newest first.
 */
export function createMessages(view, reply) {
  const thread = view.querySelector(".thread");
  const form = view.querySelector("form");
  const quick = QUICK_REPLIES.map((text) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => answer(text));
    return button;
  });
  const items = new Map(); // text id -> its bubble
  const seen = new Set(); // ids of texts
  let texts = [];
  let come = [];

  // The answer goes back to the number that the last text came from.
  const answer = (text) => reply(text, come[0].carrier);

  view.querySelector(".quick").append(...quick);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = form.text.value.trim();
    if (text === "") return;
    form.reset();
    answer(text);
  });

  function bubbleOf(text, before) {
    if (!items.has(text.id)) items.set(text.id, fromTemplate("text-template"));
    const item = items.get(text.id);
    item.className = isIncoming(text) ? "incoming" : "outgoing";
    item.dataset.status = text.status;
    const sender = item.querySelector(".sender");
    sender.hidden =
      !isIncoming(text) ||
      (before && isIncoming(before) && before.sign === text.sign && before.carrier === text.carrier);
    write(sender.querySelector("b"), text.sign);
    badge(sender.querySelector(".carrier"), text.carrier);
    write(item.querySelector(".text"), text.text);
    write(item.querySelector("time"), clock.hoursMinutes(Date.parse(text.at)));
    write(item.querySelector(".state"), stateWords(text));
    return item;
  }

  function show(newTexts, phone) {
    const newest = texts[0]?.id;
    const wasAtEnd = thread.scrollHeight - thread.clientHeight - thread.scrollTop < AT_END_PX;
    texts = newTexts;
    come = texts.filter((text) => hasCome(text, phone));
    const ids = new Set(texts.map((text) => text.id));
    for (const id of items.keys()) if (!ids.has(id)) items.delete(id);
    for (const id of seen) if (!ids.has(id)) seen.delete(id);
    const oldestFirst = [...texts].reverse();
    arrange(
      thread.querySelector("ol"),
      oldestFirst.map((text, i) => bubbleOf(text, oldestFirst[i - 1])),
    );
    view.querySelector(".thread-none").hidden = texts.length > 0;
    for (const button of quick) button.setAttribute("aria-label", t("reply.with", { text: button.textContent }));
    form.text.placeholder = t("reply.text");
    // Nothing came yet: there is nobody to answer.
    for (const control of form.elements) control.disabled = come.length === 0;
    if (wasAtEnd || texts[0]?.id !== newest) toEnd();
  }

  const unread = () => come.filter((text) => !seen.has(text.id));
  const toEnd = () => {
    thread.scrollTop = thread.scrollHeight;
  };

  return {
    show,
    unread,
    toEnd,
    read() {
      for (const text of come) seen.add(text.id);
    },
  };
}

// The mailbox of the whole sandbox: every mail that was sent, opened as a mail program would.

import * as clock from "./clock.js";
import { arrange, badge, createTabs, fromTemplate, unreadBadge } from "./drawing.js";
import { t, write } from "./words.js";

// What a mail may load: nothing, so that reading it asks no other host.
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/** The mail's HTML, which loads nothing; its links open in a tab that knows nothing of this one. */
function framed(html) {
  const letter = new DOMParser().parseFromString(html, "text/html"); // runs and loads nothing
  // Some of these ask a host, or send the reader to one, whatever the policy says.
  for (const element of letter.querySelectorAll("base, link, meta")) element.remove();
  const policy = letter.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  policy.content = POLICY;
  letter.head.prepend(policy);
  for (const link of letter.querySelectorAll("a, area")) {
    link.setAttribute("target", "_blank"); // the property of a link in an SVG cannot be set
    link.setAttribute("rel", "noopener noreferrer");
  }
  return `<!doctype html>${letter.documentElement.outerHTML}`;
}

/**
 * Run the mailbox in `element`. Returns `{show(mails), unread()}`; `mails` are newest first.
 */
export function createMailbox(element) {
  const one = (selector) => element.querySelector(selector);
  const items = new Map(); // mail id -> its line in the list
  const seen = new Set(); // ids of mails
  let mails = [];
  let open = null; // the mail that is read
  let part = "html";
  let framedHtml = null; // what the frame holds: loading it again would scroll it back

  const markPart = createTabs(one(".parts"), (chosen) => {
    part = chosen;
    drawPart();
  });

  function read(id) {
    const mail = mails.find((known) => known.id === id);
    open = mail;
    seen.add(id);
    part = mail.html ? "html" : "text";
    draw();
    one(".letter").scrollIntoView({ block: "nearest" });
  }

  function lineOf(mail) {
    if (!items.has(mail.id)) {
      const made = fromTemplate("mail-template");
      made.querySelector("button").addEventListener("click", () => read(mail.id));
      items.set(mail.id, made);
    }
    const item = items.get(mail.id);
    const button = item.querySelector("button");
    button.classList.toggle("new", !seen.has(mail.id));
    button.setAttribute("aria-current", String(mail.id === open?.id));
    write(item.querySelector(".is-new"), seen.has(mail.id) ? "" : t("mail.new"));
    write(item.querySelector(".subject"), mail.subject || t("mail.no_subject"));
    write(item.querySelector(".from"), mail.from);
    write(item.querySelector(".to"), t("mail.to", { to: mail.to }));
    write(item.querySelector("time"), clock.hoursMinutes(Date.parse(mail.at)));
    badge(item.querySelector(".carrier"), mail.via, t(`via.${mail.via}`));
    return item;
  }

  function drawLetter() {
    one(".letter").hidden = open === null;
    one(".letter-none").hidden = open !== null || mails.length === 0;
    if (open === null) return;
    write(one(".letter .subject"), open.subject || t("mail.no_subject"));
    write(one(".letter .from"), t("mail.from", { from: open.from }));
    write(one(".letter .to"), t("mail.to", { to: open.to }));
    write(one(".letter time"), clock.timeOfDay(Date.parse(open.at)));
    badge(one(".letter .carrier"), open.via, t(`via.${open.via}`));
    one('.parts [value="html"]').disabled = !open.html;
    one('.parts [value="text"]').disabled = !open.text;
    if (framedHtml !== open.html) {
      framedHtml = open.html;
      const frame = fromTemplate("letter-template");
      frame.title = t("mail.html");
      frame.srcdoc = framed(open.html ?? "");
      one('[data-part="html"]').replaceChildren(frame);
    }
    write(one(".plain"), open.text ?? "");
    const headers = Object.entries(open.headers).flatMap(([name, value]) => {
      const [dt, dd] = [document.createElement("dt"), document.createElement("dd")];
      dt.textContent = name;
      dd.textContent = value;
      return [dt, dd];
    });
    one(".mail-headers").replaceChildren(...headers);
    drawPart();
  }

  function drawPart() {
    markPart(part);
    for (const panel of element.querySelectorAll("[data-part]")) {
      panel.hidden = panel.dataset.part !== part;
    }
  }

  function draw() {
    arrange(one(".mails"), mails.map(lineOf));
    one(".mails").hidden = mails.length === 0;
    one(".mails-none").hidden = mails.length > 0;
    unreadBadge(one(".unread"), unread());
    drawLetter();
  }

  function show(newMails) {
    mails = newMails;
    const ids = new Set(mails.map((mail) => mail.id));
    for (const id of items.keys()) if (!ids.has(id)) items.delete(id);
    for (const id of seen) if (!ids.has(id)) seen.delete(id);
    if (open !== null && !ids.has(open.id)) open = null;
    draw();
  }

  const unread = () => mails.filter((mail) => !seen.has(mail.id)).length;

  return { show, unread };
}

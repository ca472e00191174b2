// The carriers' faults and settings, and what went over the wire.

import * as api from "./api.js";
import { timeOfDay } from "./clock.js";
import { badge, fillChoices, fitFields, fromTemplate, icon, readable } from "./drawing.js";
import { knows, t, translate } from "./words.js";

const CARRIERS = ["alibaba", "tencent"];
const FAULTS = [
  "error", "throttle", "accept_then_hang", "place_then_hang", "place_then_reset",
  "server_error_after_placing", "server_error", "html", "slow_body", "close_mid_request", "empty_success", "slow",
];
const TIMES = ["1", "2", "5", "null"];
const EXAMPLE_ERRORS = {
  alibaba: "isv.BUSINESS_LIMIT_CONTROL",
  tencent: "LimitExceeded.DeliveryFrequencyLimit",
};
const WIRE_SHOWN = 40;

const timesWords = (times) => {
  if (times === null || times === undefined) return t("faults.forever");
  return times === 1 ? t("faults.once") : t("faults.n", { n: times });
};

const kindWords = (kind) => (knows(`fault.${kind}`) ? t(`fault.${kind}`) : kind);

const faultWords = (fault) => [kindWords(fault.fault), fault.code].filter(Boolean).join(" ");

function verdictWords(verdict) {
  if (verdict === "accepted") return t("accepted");
  const kind = /^fault: (\w+)$/.exec(verdict)?.[1];
  return kind ? t("faults.hit", { fault: kindWords(kind) }) : verdict;
}

/** What a carrier calls this callback, as far as it has a name. */
function pushName({ carrier, body }) {
  if (carrier === "alibaba") return body.map(alibabaName).join(", ");
  if (Array.isArray(body)) return body.map((record) => `SmsStatus ${record.errmsg}`).join(", ");
  return "nationcode" in body ? `SmsReply ${body.text}` : Object.keys(body)[0];
}

function alibabaName(record) {
  if ("err_code" in record) return `SmsReport ${record.err_code}`;
  if ("content" in record) return `SmsUp ${record.content}`;
  return `${"status_time" in record ? "VoiceCallReport" : "VoiceReport"} ${record.status_code}`;
}

/** Whom a request of a carrier's API or of the SMTP server concerns. */
const recipient = (params) =>
  [params.CalledNumber ?? params.PhoneNumbers ?? params.PhoneNumberSet ?? params.ToAddress ?? params.to ?? ""]
    .flat().join(", ");

/**
 * Make the panels of both carriers in `parent`. `doing(promise)` reports what fails.
 * Returns `show(settings, numbers)` and `showFaults()`.
 */
export function createCarriers(parent, doing) {
  const cards = CARRIERS.map((carrier) => createCarrier(carrier, doing));
  parent.append(...cards.map((card) => card.element));
  return {
    show: (settings, numbers) => cards.forEach((card) => card.show(settings, numbers)),
    showFaults: () => Promise.all(cards.map((card) => card.showFaults())),
  };
}

function createCarrier(carrier, doing) {
  const element = fromTemplate("carrier-template");
  const form = element.querySelector(".break form");
  const fields = [...element.querySelectorAll("[data-setting]")];
  let faults = [];
  element.dataset.carrier = carrier;
  form.code.value = EXAMPLE_ERRORS[carrier];

  async function replaceFaults(wanted) {
    await api.putFaults(carrier, wanted);
    await showFaults();
  }

  form.fault.addEventListener("change", () => fitFields(form, form.fault.value));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fault = { fault: form.fault.value, times: JSON.parse(form.times.value) };
    if (form.number.value) fault.number = form.number.value;
    if (fault.fault === "error") {
      fault.code = form.code.value;
      fault.message = form.message.value || form.code.value;
    }
    if (fault.fault === "html") fault.http_status = Number(form.http_status.value);
    if (fault.fault === "slow") fault.after_s = Number(form.after_s.value);
    element.querySelector(".break").open = false;
    doing(replaceFaults([...faults, fault]));
  });

  element.querySelector(".settings").addEventListener("submit", (event) => event.preventDefault());
  element.querySelector(".settings").addEventListener("change", (event) => {
    const field = event.target;
    if (!field.reportValidity()) return;
    let value = field.type === "checkbox" ? field.checked : Number(field.value);
    if (field.dataset.setting === "error_http_status") value = field.checked ? 400 : 200;
    const patch = field.dataset.setting.split(".").reduceRight((inner, key) => ({ [key]: inner }), value);
    doing(api.putSettings({ [carrier]: patch }));
  });

  function drawFaults() {
    element.querySelector(".faults-none").hidden = faults.length > 0;
    element.dataset.healthy = String(faults.length === 0);
    const items = faults.map((fault, i) => {
      const item = document.createElement("li");
      const words = document.createElement("span");
      words.textContent = faultWords(fault);
      const detail = document.createElement("small");
      detail.textContent = [
        timesWords(fault.times),
        fault.number ? readable(fault.number) : null,
      ].filter(Boolean).join(" · ");
      const mend = document.createElement("button");
      mend.type = "button";
      mend.className = "icon-button small";
      mend.append(icon("i-cross"));
      mend.setAttribute("aria-label", t("faults.remove", { fault: faultWords(fault) }));
      mend.addEventListener("click", () => {
        doing(replaceFaults(faults.filter((_, j) => j !== i)));
      });
      item.append(words, detail, mend);
      return item;
    });
    element.querySelector(".faults").replaceChildren(...items);
  }

  async function showFaults() {
    const told = await api.getFaults(carrier);
    faults = told.filter((fault) => fault.times !== 0); // the spent ones stay in the list
    drawFaults();
  }

  function show(settings, numbers) {
    const own = settings[carrier];
    translate(element);
    badge(element.querySelector(".carrier"), carrier);
    fillChoices(form.fault, FAULTS.map((fault) => [fault, t(`fault.${fault}`)]));
    fillChoices(form.times, TIMES.map((times) => [times, timesWords(JSON.parse(times))]));
    fillChoices(form.number, [["", t("faults.everyone")], ...numbers.map((n) => [n, readable(n)])]);
    fitFields(form, form.fault.value);
    element.querySelector(".no-address").hidden =
      Boolean(own.voice_url || own.sms_report_url || own.sms_reply_url);
    for (const field of fields) {
      const value = field.dataset.setting.split(".").reduce((inner, key) => inner?.[key], own);
      field.closest("label").hidden = value === undefined; // this carrier has no such setting
      if (field === document.activeElement) continue; // do not overwrite what is being typed
      if (field.type !== "checkbox") field.value = value ?? "";
      else field.checked = field.dataset.setting === "error_http_status" ? value >= 400 : Boolean(value);
    }
    drawFaults();
  }

  return { element, show, showFaults };
}

/** Return what refreshes the folded list in `details`: `fill(item, entry)` draws one of its entries. */
function createList(details, { none, fetchEntries, fill }) {
  const open = new Set();
  const list = details.querySelector("ol");
  return async () => {
    const entries = await fetchEntries();
    const newest = [...entries]
      .map((entry, i) => [entry, `${entry.at}/${entry.call_id ?? entry.url ?? ""}/${i}`])
      .sort(([a], [b]) => Date.parse(b.at) - Date.parse(a.at))
      .slice(0, WIRE_SHOWN);
    details.querySelector(".count").textContent = entries.length || "";
    if (newest.length === 0) {
      const empty = document.createElement("li");
      empty.className = "none";
      empty.textContent = t(none);
      list.replaceChildren(empty);
      return entries;
    }
    list.replaceChildren(...newest.map(([entry, id]) => {
      const item = fromTemplate("wire-template");
      const inner = item.querySelector("details");
      item.querySelector("time").textContent = timeOfDay(Date.parse(entry.at));
      badge(item.querySelector(".carrier"), entry.carrier);
      fill(item, entry);
      inner.open = open.has(id);
      inner.addEventListener("toggle", () => open[inner.open ? "add" : "delete"](id));
      return item;
    }));
    return entries;
  };
}

function verdict(item, words, good) {
  const element = item.querySelector(".verdict");
  element.textContent = words;
  element.dataset.good = String(good);
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

/** The list of what ringback asked of the carriers; returns what refreshes it and returns the entries. */
export function createRequests(details) {
  return createList(details, {
    none: "requests.none",
    fetchEntries: api.getRequests,
    fill(item, entry) {
      const good = entry.verdict === "accepted";
      item.querySelector("b").textContent = entry.action;
      item.querySelector(".whom").textContent = recipient(entry.params);
      verdict(item, verdictWords(entry.verdict), good);
      item.querySelector("pre").textContent = pretty(entry.params);
    },
  });
}

/** The list of what the carriers pushed to ringback; returns what refreshes it and returns the entries. */
export function createPushes(details) {
  return createList(details, {
    none: "pushes.list.none",
    fetchEntries: api.getPushes,
    fill(item, entry) {
      const state = t(`push.${entry.state}`);
      const n = entry.tries.length;
      item.querySelector("b").textContent = pushName(entry);
      verdict(item, n > 1 ? t("tries", { state, n }) : state, ["taken", "waiting"].includes(entry.state));
      const tries = entry.tries.map(
        (one) => `${timeOfDay(Date.parse(one.at))}  ${one.status ?? "–"}  ${one.took_ms} ms`,
      );
      item.querySelector("pre").textContent =
        [entry.url, ...tries, "", pretty(entry.body)].join("\n");
    },
  });
}

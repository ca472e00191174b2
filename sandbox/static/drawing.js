// What all parts of the page draw with: templates, icons, badges, choices, tabs, lists.

import { t, write } from "./words.js";

/** `+8613700000000` as people read it. */
export function readable(number) {
  const mainland = /^\+86(1\d{2})(\d{4})(\d{4})$/.exec(number);
  return mainland ? `+86 ${mainland.slice(1).join(" ")}` : number;
}

export function fromTemplate(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

export function icon(id) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${id}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

/** Fill a carrier's badge. */
export function badge(element, carrier, words = t(`carrier.${carrier}`)) {
  element.dataset.carrier = carrier;
  write(element, words);
}

/** Fill the badge that says how many are unread; there is none for none. */
export function unreadBadge(element, n) {
  element.hidden = n === 0;
  write(element, String(n));
  element.setAttribute("aria-label", t("unread", { n }));
}

/** Put `[value, words]` pairs into a select, keeping what is chosen. */
export function fillChoices(select, choices) {
  const chosen = select.value;
  select.replaceChildren(...choices.map(([value, words]) => new Option(words, value)));
  if (choices.some(([value]) => value === chosen)) select.value = chosen;
}

/** Show only the fields whose `data-for` names `chosen`. */
export function fitFields(form, chosen) {
  for (const label of form.querySelectorAll("[data-for]")) {
    const wanted = label.dataset.for.split(" ").includes(chosen);
    label.hidden = !wanted;
    for (const field of label.querySelectorAll("input, select")) field.disabled = !wanted;
  }
}

/**
 * Let the tabs in `list`, named by their `value`, be chosen by a click or the arrow keys.
 * Returns what marks the chosen one.
 */
export function createTabs(list, choose) {
  const all = [...list.querySelectorAll('[role="tab"]')];
  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) choose(tab.value);
  });
  list.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const usable = all.filter((tab) => !tab.disabled);
    const next = usable.at((usable.indexOf(document.activeElement) + step) % usable.length);
    next.focus();
    choose(next.value);
  });
  return (value) => {
    for (const tab of all) {
      tab.setAttribute("aria-selected", String(tab.value === value));
      tab.tabIndex = tab.value === value ? 0 : -1;
    }
  };
}

/** Make `list` hold `items` in their order; those that stay keep the focus and are not read out again. */
export function arrange(list, items) {
  const wanted = new Set(items);
  for (const item of [...list.children]) if (!wanted.has(item)) item.remove();
  items.forEach((item, i) => {
    if (list.children[i] !== item) list.insertBefore(item, list.children[i] ?? null);
  });
}

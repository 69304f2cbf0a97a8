// The products at hand, as rows whose role, quantity and age can be changed.

import { byId, element, icon } from "../dom.js";
import { knownTitles, titlesOf } from "../products.js";

const TYPES = [
  ["view", "viewed"],
  ["click", "clicked"],
  ["add-to-cart", "in the basket"],
  ["purchase", "bought"],
];
const AGES = [
  [0, "just now"],
  [60, "a minute ago"],
  [600, "10 minutes ago"],
  [3600, "an hour ago"],
  [86400, "a day ago"],
  [604800, "a week ago"],
];
// Told apart by lightness too, not by hue alone.
const COLOURS = ["#1f6b4a", "#d08a2e", "#3c6fb4", "#b5533c", "#7d6bb3", "#2f9c95", "#9a8f3c", "#b4608f"];

/** The colour that stands for a product of the request, in the form and in the answer. */
export function colourOf(items, itemId) {
  const at = items.findIndex((item) => item.item_id === itemId);
  return at < 0 ? "var(--line-strong)" : COLOURS[at % COLOURS.length];
}

/** Draws `items` (of the request's shape, changed in place); `changed()` follows every change. */
export async function showItems(items, changed) {
  const draw = (titles) =>
    byId("items").replaceChildren(
      ...items.map((item) => row(items, item, titles.get(item.item_id) ?? item.item_id, changed)),
    );
  byId("items-empty").hidden = items.length > 0;
  draw(knownTitles());
  if (items.some((item) => !knownTitles().has(item.item_id))) {
    draw(await titlesOf(items.map((item) => item.item_id)));
  }
}

function row(items, item, title, changed) {
  const remove = () => {
    items.splice(items.indexOf(item), 1);
    byId("item-picker").querySelector("input").focus();
    showItems(items, changed);
    changed();
  };
  const set = (name) => (event) => {
    item[name] = name === "event_type" ? event.target.value : Number(event.target.value);
    changed();
  };
  return element(
    "li",
    { class: "item", "--item-colour": colourOf(items, item.item_id) },
    element("p", { class: "item-title" }, element("span", {}, title, element("span", { class: "item-id" }, item.item_id))),
    element("button", { type: "button", class: "icon-button item-remove", "aria-label": `Remove ${title}`, onclick: remove }, icon("close")),
    choice(`How ${title} was used`, TYPES, item.event_type ?? "view", set("event_type")),
    element("input", {
      class: "field",
      type: "number",
      min: 1,
      max: 999,
      value: item.quantity ?? 1,
      "aria-label": `Quantity of ${title}`,
      onchange: (event) => event.target.checkValidity() && set("quantity")(event),
    }),
    choice(`Age of ${title}`, agesWith(item.age_seconds ?? 0), item.age_seconds ?? 0, set("age_seconds")),
  );
}

/** The offered ages, with the one that the visit told, if it is another. */
function agesWith(seconds) {
  if (AGES.some(([offered]) => offered === seconds)) return AGES;
  return [...AGES, [seconds, `${seconds} s ago`]].sort(([one], [other]) => one - other);
}

function choice(label, options, value, onchange) {
  const made = options.map(([each, words]) => element("option", { value: each, selected: each === value }, words));
  return element("select", { class: "field", "aria-label": label, onchange }, made);
}

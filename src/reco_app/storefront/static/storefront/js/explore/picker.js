// Find a product by words or id: a combobox whose list follows what is typed.

import { get } from "../api.js";
import { element } from "../dom.js";
import { picture } from "../drawings.js";
import { effectivePrice, money } from "../money.js";
import { remember } from "../products.js";

const WAIT_MS = 180;
const MOST = 8;
const ID = /^[A-Za-z0-9._~-]{1,64}$/;
let pickers = 0;

/** A labelled search field; `chosen(product)` is called with each product picked. */
export function productPicker({ label, chosen }) {
  const name = `picker-${++pickers}`;
  const list = element("ul", { class: "picker-list", role: "listbox", id: `${name}-list`, "aria-label": label, hidden: true });
  const input = element("input", {
    class: "field",
    id: name,
    type: "search",
    role: "combobox",
    autocomplete: "off",
    placeholder: "Find a product, or give its id",
    "aria-label": label,
    "aria-autocomplete": "list",
    "aria-controls": list.id,
    "aria-expanded": "false",
  });
  const picker = { input, list, chosen, products: [], at: -1, asked: 0, timer: 0 };
  input.addEventListener("input", () => later(picker));
  input.addEventListener("keydown", (event) => pressed(picker, event));
  input.addEventListener("blur", () => close(picker));
  return [input, list];
}

function later(picker) {
  clearTimeout(picker.timer);
  picker.timer = setTimeout(() => look(picker), WAIT_MS);
}

async function look(picker) {
  const words = picker.input.value.trim();
  const turn = ++picker.asked;
  if (!words) return close(picker);
  const [named, found] = await Promise.all([byId(words), byWords(words)]);
  if (turn !== picker.asked || document.activeElement !== picker.input) return undefined;
  const others = found.filter((product) => product.id !== named?.id);
  picker.products = [...(named ? [named] : []), ...others].slice(0, MOST);
  return open(picker);
}

async function byId(words) {
  if (!ID.test(words) || !/\d/.test(words)) return null;
  return get(`/v1/products/${words}`).catch(() => null); // not an id: the words may still find it
}

async function byWords(words) {
  const query = new URLSearchParams({ q: words, limit: MOST });
  const { products } = await get(`/v1/products?${query}`).catch(() => ({ products: [] }));
  return products;
}

function open(picker) {
  const { list, input, products } = picker;
  const options = products.map((product, index) => option(picker, product, index));
  list.replaceChildren(...(options.length ? options : [element("li", { class: "picker-note" }, "Nothing found")]));
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
  mark(picker, products.length ? 0 : -1);
}

function option(picker, product, index) {
  return element(
    "li",
    {
      class: "picker-option",
      role: "option",
      id: `${picker.list.id}-${index}`,
      // A press must not take the focus away: that would close the list before the click.
      onmousedown: (event) => event.preventDefault(),
      onclick: () => take(picker, index),
    },
    picture(product),
    element("span", {}, product.title, element("small", {}, `${product.brand} · ${product.id}`)),
    money(effectivePrice(product), product.currency),
  );
}

function mark(picker, at) {
  picker.at = at;
  [...picker.list.children].forEach((child, index) => {
    child.setAttribute("aria-selected", String(index === at));
    if (index === at) child.scrollIntoView({ block: "nearest" });
  });
  if (at < 0) picker.input.removeAttribute("aria-activedescendant");
  else picker.input.setAttribute("aria-activedescendant", `${picker.list.id}-${at}`);
}

function pressed(picker, event) {
  const last = picker.products.length - 1;
  const moves = { ArrowDown: picker.at >= last ? 0 : picker.at + 1, ArrowUp: picker.at <= 0 ? last : picker.at - 1 };
  if (event.key === "Escape") close(picker);
  if (event.key === "Enter") {
    event.preventDefault(); // Enter picks; it does not send the form
    if (!picker.list.hidden && picker.at >= 0) take(picker, picker.at);
  }
  if (event.key in moves && !picker.list.hidden) {
    event.preventDefault();
    mark(picker, moves[event.key]);
  }
}

function take(picker, index) {
  const product = picker.products[index];
  remember(product.id, product);
  picker.input.value = "";
  close(picker);
  picker.chosen(product);
}

function close(picker) {
  picker.asked += 1;
  picker.list.hidden = true;
  picker.input.setAttribute("aria-expanded", "false");
  mark(picker, -1);
}

// The basket: kept in this browser, told to the page by a "basket" event.

import { record } from "./events.js";
import { effectivePrice } from "./money.js";
import { browser } from "./storage.js";
import { creditOf } from "./visit.js";

const MOST_LINES = 50;
const MOST_OF_ONE = 99;
const changes = new EventTarget();

/** `[{item_id, quantity, at, product}]`, oldest first; `product` is the card as last seen. */
export function lines() {
  return browser.read("basket", []);
}

export function pieces() {
  return lines().reduce((sum, line) => sum + line.quantity, 0);
}

export function quantityOf(itemId) {
  return lines().find((line) => line.item_id === itemId)?.quantity ?? 0;
}

/** Returns how many are in the basket now, or 0 when the basket has no room for another line. */
export function add(itemId, product, quantity = 1, credit = creditOf(itemId)) {
  const kept = lines();
  const line = kept.find((each) => each.item_id === itemId);
  if (!line && kept.length >= MOST_LINES) return 0;
  const before = line?.quantity ?? 0;
  const after = Math.min(before + quantity, MOST_OF_ONE);
  const others = kept.filter((each) => each.item_id !== itemId);
  write([...others, { item_id: itemId, quantity: after, at: Date.now(), product }]);
  if (after > before) tell("add-to-cart", itemId, product, after - before, credit);
  return after;
}

export function setQuantity(itemId, quantity) {
  const line = lines().find((each) => each.item_id === itemId);
  if (!line) return;
  const wanted = Math.max(0, Math.min(quantity, MOST_OF_ONE));
  write(
    lines()
      .map((each) => (each.item_id === itemId ? { ...each, quantity: wanted } : each))
      .filter((each) => each.quantity > 0),
  );
  const change = wanted - line.quantity;
  if (change > 0) tell("add-to-cart", itemId, line.product, change, creditOf(itemId));
  if (change < 0) tell("remove-from-cart", itemId, line.product, -change);
}

/** Keeps prices and stock as the shop tells them now. */
export function refresh(products) {
  browser.write(
    "basket",
    lines().map((line) => ({ ...line, product: products.get(line.item_id) ?? line.product })),
  );
}

export function buy() {
  for (const line of lines()) {
    tell("purchase", line.item_id, line.product, line.quantity, creditOf(line.item_id));
  }
  write([]);
}

export function onChange(listener) {
  changes.addEventListener("basket", listener);
  addEventListener("storage", (event) => event.key === "multireco.basket" && listener());
  addEventListener("pageshow", (event) => event.persisted && listener());
}

function write(kept) {
  browser.write("basket", kept);
  changes.dispatchEvent(new Event("basket"));
}

function tell(event_type, item_id, product, quantity, credit = {}) {
  const price = product && effectivePrice(product);
  record({ event_type, item_id, quantity, ...(price ? { price } : {}), ...credit });
}

// The products at hand, as a recommendation request names them: oldest first, never a person.

import { lines } from "./basket.js";
import { recentViews } from "./visit.js";

const MOST_ITEMS = 30;

function ageSeconds(at) {
  return Math.max(0, Math.round((Date.now() - at) / 1000));
}

function asView({ item_id, at }) {
  return { at, item: { item_id, event_type: "view", age_seconds: ageSeconds(at) } };
}

function asLine({ item_id, quantity, at }) {
  return { at, item: { item_id, event_type: "add-to-cart", quantity, age_seconds: ageSeconds(at) } };
}

function inOrder(dated) {
  return dated
    .sort((one, other) => one.at - other.at)
    .slice(-MOST_ITEMS)
    .map(({ item }) => item);
}

/** The basket and the views of this tab; what is in the basket counts as that alone. */
export function visitItems() {
  const basket = lines();
  const held = new Set(basket.map((line) => line.item_id));
  const views = recentViews().filter((view) => !held.has(view.item_id));
  return inOrder([...views.map(asView), ...basket.map(asLine)]);
}

export function basketItems() {
  return inOrder(lines().map(asLine));
}

/** The basket with the product of this page, which is the newest thing at hand. */
export function basketItemsWith(itemId) {
  const others = basketItems().filter((item) => item.item_id !== itemId);
  return [...others, { item_id: itemId, event_type: "add-to-cart" }];
}

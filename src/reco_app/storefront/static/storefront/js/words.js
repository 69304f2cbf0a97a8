// Reasons in words.

import { element } from "./dom.js";
import { count as figure } from "./money.js";
import { productPath } from "./products.js";

const SOURCES = {
  session: "Found in visits like this one",
  basket: "Found in baskets like this one",
  embedding: "Close to what is at hand, by who buys what",
  content: "Alike in name, brand and category",
  trending: "Trending in the shop",
  popular: "Popular in the shop",
  new: "New in the shop",
  pinned: "Chosen by the shop",
};

const ALONE = {
  trending: "Many shoppers chose it recently",
  popular: "One of the products bought most",
  new: "New in the shop",
  pinned: "The shop's own people put it here",
};

function many(number, one, more) {
  return `${figure(number)} ${number === 1 ? one : more}`;
}

/** The sentence of one reason, as children for an element; `titles` is a Map of id → title. */
export function reasonWords({ item_id, evidence, count }, titles) {
  if (item_id == null) return [ALONE[evidence] ?? "Chosen from the whole shop"];
  const product = element("a", { href: productPath(item_id) }, titles.get(item_id) ?? item_id);
  if (evidence === "bought-together" && count) {
    return ["Bought together with ", product, ` in ${many(count, "basket", "baskets")}`];
  }
  if (evidence === "viewed-together" && count) {
    return ["Looked at together with ", product, ` in ${many(count, "visit", "visits")}`];
  }
  if (evidence === "similar") return ["Similar to ", product];
  return ["Goes with ", product];
}

export function sourceWords(source) {
  return SOURCES[source] ?? source;
}

export function percent(share) {
  return new Intl.NumberFormat(undefined, { style: "percent" }).format(share);
}

const STOCK = { in_stock: "In stock", out_of_stock: "Out of stock", preorder: "Pre-order" };

export function stockWords(availability) {
  return STOCK[availability] ?? STOCK.in_stock;
}

// A product card: picture, brand, title, price, stock, a way into the basket, and a why.

import { announce } from "./announce.js";
import { add, onChange, quantityOf } from "./basket.js";
import { element, icon } from "./dom.js";
import { picture } from "./drawings.js";
import { record } from "./events.js";
import { effectivePrice, money, onSale } from "./money.js";
import { productPath, remember } from "./products.js";
import { creditTo } from "./visit.js";
import { whyButton } from "./why.js";

/** The card of a product that was listed, searched or looked up. */
export function productCard(product) {
  remember(product.id, product);
  return card({ id: product.id, product, onVisit: () => {}, credit: {}, why: null });
}

/** The card of one result of a recommendation: it tells why, and what came of it. */
export function resultCard(result, recommendationId) {
  const product = result.product ?? { title: result.item_id, categories: [] };
  remember(result.item_id, product);
  const credit = { recommendation_id: recommendationId, position: result.position };
  return card({
    id: result.item_id,
    product,
    credit,
    why: whyButton(result, product),
    onVisit: () => {
      creditTo(result.item_id, credit);
      record({ event_type: "click", item_id: result.item_id, ...credit });
    },
  });
}

function card({ id, product, credit, why, onVisit }) {
  const link = element("a", { href: productPath(id), onclick: onVisit }, product.title || id);
  return element(
    "article",
    { class: "card", "data-item": id },
    picture(product),
    badge(product),
    element(
      "div",
      { class: "card-words" },
      element("p", { class: "card-brand" }, product.brand || "\u00a0"),
      element("h3", { class: "card-title" }, link),
    ),
    element("div", { class: "card-foot" }, priceWords(product), addButton(id, product, credit)),
    why,
  );
}

function badge(product) {
  if (product.availability === "out_of_stock" || product.availability === "preorder") {
    const words = product.availability === "preorder" ? "Pre-order" : "Out of stock";
    return element("p", { class: "badge badge-quiet" }, words);
  }
  if (!onSale(product)) return null;
  const saved = Math.round((1 - Number(product.sale_price) / Number(product.price)) * 100);
  return element("p", { class: "badge" }, `−${saved}%`);
}

export function priceWords(product) {
  const now = money(effectivePrice(product), product.currency);
  if (!onSale(product)) return element("p", { class: "price" }, now);
  const before = element("s", {}, hidden("Before: "), money(product.price, product.currency));
  return element("p", { class: "price" }, before, element("span", { class: "price-sale" }, hidden("Now: "), now));
}

function hidden(words) {
  return element("span", { class: "visually-hidden" }, words);
}

function addButton(id, product, credit) {
  if (product.availability === "out_of_stock") return null;
  const button = element("button", {
    type: "button",
    class: "add-button",
    onclick: () => {
      const held = credit.recommendation_id ? add(id, product, 1, credit) : add(id, product);
      announce(held ? `${product.title} is in your basket` : "The basket is full");
    },
  });
  const show = () => showQuantity(button, product.title, quantityOf(id));
  show();
  onChange(() => button.isConnected && show());
  return button;
}

function showQuantity(button, title, held) {
  button.toggleAttribute("data-in-basket", held > 0);
  button.replaceChildren(held ? String(held) : icon("plus"));
  const label = held ? `Add another ${title}: ${held} in the basket` : `Add ${title} to the basket`;
  button.setAttribute("aria-label", label);
}

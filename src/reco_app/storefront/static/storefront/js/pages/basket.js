import { announce } from "../announce.js";
import { buy, lines, onChange, refresh, setQuantity } from "../basket.js";
import { showCarousels } from "../carousel.js";
import { basketItems, visitItems } from "../context.js";
import { byId, element } from "../dom.js";
import { picture } from "../drawings.js";
import { startFrame } from "../frame.js";
import { effectivePrice, money } from "../money.js";
import { fetchProducts, productPath } from "../products.js";
import { shippingGap } from "../shipping.js";
import { stepper } from "../stepper.js";
import { stockWords } from "../words.js";

let gone = new Set();

function lineTotal({ item_id, quantity, product }) {
  return gone.has(item_id) ? 0 : Number(effectivePrice(product) ?? 0) * quantity;
}

function note({ item_id, product }) {
  if (gone.has(item_id)) return element("p", { class: "line-note line-gone" }, "Not sold any more");
  const price = `${money(effectivePrice(product), product.currency)} each`;
  const stock = product.availability === "in_stock" ? "" : ` · ${stockWords(product.availability)}`;
  return element("p", { class: "line-note" }, price + stock);
}

function lineRow(line) {
  const { item_id, quantity, product } = line;
  const link = element("a", { href: productPath(item_id) }, product.title);
  return element(
    "li",
    { class: "line", "data-item": item_id },
    picture(product),
    element("div", {}, element("p", { class: "line-title" }, link), note(line)),
    stepper({ quantity, least: 0, most: 99, title: product.title, change: (now) => change(line, now) }),
    element("p", { class: "line-total" }, money(lineTotal(line), product.currency)),
  );
}

function change({ item_id, product }, quantity) {
  setQuantity(item_id, quantity);
  announce(quantity ? `${product.title}: ${quantity}` : `${product.title} is out of the basket`);
}

function totalOf(kept) {
  return kept.reduce((sum, line) => sum + lineTotal(line), 0);
}

function shippingNote(total, currency) {
  const gap = shippingGap(total);
  const words = gap ? `${money(gap, currency)} more and delivery is free` : "Delivery is free";
  return element("p", { class: "line-note", id: "shipping" }, words);
}

/** What fills the gap to free delivery is worth more to this basket. */
function shippingBudget() {
  const gap = shippingGap(totalOf(lines()));
  return gap && { free_shipping_gap: gap };
}

function summary(kept) {
  const { currency } = kept[0].product;
  const total = totalOf(kept);
  const order = element("button", { type: "button", class: "button", id: "order", onclick: () => placeOrder() });
  order.append("Place the order");
  return element(
    "aside",
    { class: "summary", "aria-label": "Sum" },
    element(
      "p",
      { class: "summary-row" },
      element("span", {}, "Total"),
      element("strong", { id: "total" }, money(total, currency)),
    ),
    shippingNote(total, currency),
    order,
    element("small", {}, "A demonstration: nothing is charged or sent. The purchase is told to the recommender."),
  );
}

function placeOrder() {
  buy();
  announce("Thank you: the order was placed");
  byId("main").focus();
}

function empty() {
  const words = element("p", { class: "lede" }, "Nothing in it yet.");
  return element("div", { class: "basket-empty" }, words, element("a", { class: "button", href: "/shop/" }, "Look around"));
}

/** Redraws the basket; the button that was pressed keeps the focus. */
function show() {
  const kept = lines();
  const pressed = document.activeElement?.closest("[data-step]");
  const item = pressed?.closest("[data-item]")?.dataset.item;
  byId("basket").replaceChildren(
    ...(kept.length ? [element("ul", { "aria-label": "Lines" }, kept.map(lineRow)), summary(kept)] : [empty()]),
  );
  if (!item) return;
  const same = `[data-item="${CSS.escape(item)}"] [data-step="${pressed.dataset.step}"]`;
  (byId("basket").querySelector(same) ?? byId("basket").querySelector("a, button")).focus();
}

function rows() {
  const trending = { id: "trending", title: "Trending now", note: "What more shoppers choose than usual", scenario: "trending" };
  const complements = {
    id: "basket",
    title: "Goes with your basket",
    note: "What others bought together with it",
    scenario: "basket",
    items: basketItems,
    budget: shippingBudget,
  };
  const forVisit = { id: "visit", title: "For this visit", note: "From what is at hand in this tab", scenario: "session", items: visitItems };
  return lines().length ? [complements, forVisit] : [trending];
}

show();
startFrame();
const again = showCarousels(rows());
let settling = 0;
onChange(() => {
  show();
  clearTimeout(settling);
  settling = setTimeout(again, 250); // several presses, one request
});
try {
  const ids = lines().map((line) => line.item_id);
  const products = await fetchProducts(ids);
  gone = new Set(ids.filter((id) => !products.has(id)));
  refresh(products);
  show();
} catch {
  // The basket stays as last seen; prices are told again when the shop answers.
}

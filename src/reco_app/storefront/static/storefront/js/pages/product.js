import { announce } from "../announce.js";
import { get } from "../api.js";
import { add, onChange, quantityOf } from "../basket.js";
import { showBreadcrumb } from "../breadcrumb.js";
import { priceWords } from "../card.js";
import { showCarousels } from "../carousel.js";
import { basketItemsWith, visitItems } from "../context.js";
import { byId, element, icon } from "../dom.js";
import { picture } from "../drawings.js";
import { record } from "../events.js";
import { startFrame } from "../frame.js";
import { remember } from "../products.js";
import { stepper } from "../stepper.js";
import { creditOf, dropView, noteView } from "../visit.js";
import { stockWords } from "../words.js";

const itemId = decodeURIComponent(location.pathname.split("/").at(-1));

function show(product) {
  document.title = `${product.title} · Larder & Co`;
  showBreadcrumb(product.categories?.[0] ?? "", product.title);
  byId("product").replaceChildren(
    picture(product),
    element(
      "div",
      { class: "product-words" },
      product.brand && element("p", { class: "product-brand" }, product.brand),
      element("h1", {}, product.title),
      priceWords(product),
      element("p", { class: "stock", "data-availability": product.availability }, stockWords(product.availability)),
      product.availability === "out_of_stock" ? null : purchase(product),
      product.description && element("p", {}, product.description),
      facts(product),
    ),
  );
}

function purchase(product) {
  let wanted = 1;
  const button = element("button", {
    type: "button",
    class: "button",
    id: "add-to-basket",
    onclick: () => {
      const held = add(itemId, product, wanted);
      announce(held ? `${product.title} is in your basket: ${held}` : "The basket is full");
    },
  });
  const label = () => {
    const held = quantityOf(itemId);
    button.replaceChildren(icon(held ? "check" : "plus"), held ? `${held} in the basket` : "Add to basket");
    button.setAttribute("aria-label", held ? `Add more: ${held} in the basket` : "Add to basket");
  };
  label();
  onChange(label);
  const many = stepper({ quantity: 1, least: 1, most: 99, title: product.title, change: (now) => (wanted = now) });
  return element("div", { class: "purchase" }, many, button);
}

function facts({ attributes, tags }) {
  const known = Object.entries(attributes ?? {}).filter(([, value]) => value !== null && value !== "");
  if (tags?.length) known.push(["Tags", tags.join(", ")]);
  if (!known.length) return null;
  const rows = known.map(([name, value]) => [element("dt", {}, inWords(name)), element("dd", {}, [value].flat().join(", "))]);
  return element("dl", { class: "facts" }, rows.flat());
}

function inWords(name) {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function showAbsence(problem) {
  const gone = problem.status === 404;
  if (gone) dropView(itemId);
  const words = gone ? "This product is not sold here any more." : "This product could not be fetched. ";
  document.title = "Not found · Larder & Co";
  showBreadcrumb("", gone ? "Not found" : "Product");
  byId("product").replaceChildren(
    element("p", { class: "notice" }, element("strong", {}, words), gone ? "" : problem.message),
  );
}

function rows() {
  return [
    {
      id: "together",
      title: "Bought together",
      note: "What others put into a basket with it",
      scenario: "basket",
      items: () => basketItemsWith(itemId),
    },
    {
      id: "similar",
      title: "Similar products",
      note: "In its place, or beside it",
      scenario: "similar",
      items: () => [{ item_id: itemId }],
    },
    { id: "visit", title: "For this visit", note: "From what is at hand in this tab", scenario: "session", items: visitItems },
  ];
}

startFrame();
try {
  const fetched = get(`/v1/products/${encodeURIComponent(itemId)}`);
  noteView(itemId);
  onChange(showCarousels(rows()));
  const product = await fetched;
  remember(itemId, product);
  record({ event_type: "view", item_id: itemId, ...creditOf(itemId) });
  show(product);
} catch (problem) {
  showAbsence(problem);
}
byId("product").removeAttribute("aria-busy");

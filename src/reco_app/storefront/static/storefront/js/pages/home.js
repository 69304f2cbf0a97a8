import { onChange } from "../basket.js";
import { showCarousels } from "../carousel.js";
import { basketItems, visitItems } from "../context.js";
import { byId, element } from "../dom.js";
import { picture } from "../drawings.js";
import { startFrame } from "../frame.js";
import { count } from "../money.js";
import { categoryPath } from "../products.js";

const MOST_TILES = 19;
const TRENDING = { id: "trending", title: "Trending now", note: "What more shoppers choose than usual", scenario: "trending" };
const POPULAR = { id: "popular", title: "Always popular", note: "Bought most, week after week", scenario: "popular" };
const NEW = { id: "new", title: "New in the shop", note: "Just arrived on the shelves", scenario: "new" };

function rows() {
  const forVisit = {
    id: "visit",
    title: "For this visit",
    note: "From what you looked at and put in the basket, in this tab",
    scenario: "session",
    items: visitItems,
  };
  const withBasket = {
    id: "basket",
    title: "Goes with your basket",
    note: "What others bought together with it",
    scenario: "basket",
    items: basketItems,
  };
  return [
    ...(visitItems().length ? [forVisit] : []),
    ...(basketItems().length ? [withBasket] : []),
    TRENDING,
    POPULAR,
    NEW,
  ];
}

function tile(address, name, note, path) {
  const words = element("span", {}, name, element("small", {}, note));
  return element("li", {}, element("a", { class: "tile", href: address }, picture({ categories: [path] }), words));
}

function showTiles(departments) {
  const largest = departments.slice(0, MOST_TILES);
  const tiles = largest.map(({ name, path, count: held }) => tile(categoryPath(path), name, count(held), path));
  byId("department-tiles").replaceChildren(...tiles, tile("/shop/search", "Everything", "All products", ""));
}

onChange(showCarousels(rows()));
startFrame(showTiles);

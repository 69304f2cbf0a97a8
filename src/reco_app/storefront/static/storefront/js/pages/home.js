import { onChange } from "../basket.js";
import { TRENDING, showCarousels } from "../carousel.js";
import { basketItems, visitItems } from "../context.js";
import { showTiles } from "../departments.js";
import { startFrame } from "../frame.js";

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

onChange(showCarousels(rows()));
startFrame(showTiles);

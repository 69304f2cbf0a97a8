// The departments of the shop as tiles.

import { byId, element } from "./dom.js";
import { picture } from "./drawings.js";
import { count } from "./money.js";
import { categoryPath } from "./products.js";

const MOST_TILES = 19;

function tile(address, name, note, path) {
  const words = element("span", {}, name, element("small", {}, note));
  return element("li", {}, element("a", { class: "tile", href: address }, picture({ categories: [path] }), words));
}

export function showTiles(departments) {
  const largest = departments.slice(0, MOST_TILES);
  const tiles = largest.map(({ name, path, count: held }) => tile(categoryPath(path), name, count(held), path));
  byId("department-tiles").replaceChildren(...tiles, tile("/shop/search", "Everything", "All products", ""));
}

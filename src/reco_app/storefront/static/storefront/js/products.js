// Cards seen by this page, so that a reason can name a product without asking for it again.

import { post } from "./api.js";
import { lines } from "./basket.js";

const MOST_AT_ONCE = 200;
const seen = new Map();

export function remember(itemId, product) {
  if (product) seen.set(itemId, product);
}

/** A Map of id → product; what the shop no longer sells is left out. Raises ApiProblem. */
export async function fetchProducts(ids) {
  if (!ids.length) return new Map();
  const { products } = await post("/v1/products:batch", { ids: ids.slice(0, MOST_AT_ONCE) });
  for (const product of products) remember(product.id, product);
  return new Map(products.map((product) => [product.id, product]));
}

export function knownTitles() {
  return new Map([...seen].map(([id, product]) => [id, product.title]));
}

/** A Map of id → title for these products, as far as anybody knows them. */
export async function titlesOf(ids) {
  for (const line of lines()) if (!seen.has(line.item_id)) remember(line.item_id, line.product);
  const unknown = ids.filter((id) => !seen.has(id));
  await fetchProducts(unknown).catch(() => {}); // ids stand in for titles until it answers again
  return new Map(ids.map((id) => [id, seen.get(id)?.title ?? id]));
}

export function productPath(itemId) {
  return `/shop/p/${encodeURIComponent(itemId)}`;
}

/** "Grocery > Frozen ice" → /shop/c/Grocery/Frozen%20ice */
export function categoryPath(path) {
  return `/shop/c/${path.split(" > ").map(encodeURIComponent).join("/")}`;
}

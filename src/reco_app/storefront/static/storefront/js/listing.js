// A list of products with filters, order and more to come; its state is the page's address.

import { get } from "./api.js";
import { productCard } from "./card.js";
import { byId, element } from "./dom.js";
import { count } from "./money.js";

const PAGE = 24;
const FILTERS = ["in_stock", "price_min", "price_max", "brand"];

/**
 * Fills the listing of the page. `fixed` is what the page itself asks for (a category, words); the
 * rest comes from its address. `showCategories` is told the categories that the products are in.
 */
export function startListing(fixed, showCategories) {
  const list = { fixed, showCategories, next: null, asked: 0 };
  readAddress();
  byId("filter-form").addEventListener("change", (event) => event.target.type !== "text" && changed(list));
  byId("filter-form").addEventListener("submit", (event) => {
    event.preventDefault();
    changed(list);
  });
  byId("listing-sort").addEventListener("change", () => changed(list));
  byId("listing-more").addEventListener("click", () => more(list));
  addEventListener("popstate", () => {
    readAddress();
    load(list);
  });
  byId("filters").open = matchMedia("(width >= 56rem)").matches;
  load(list);
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const form = byId("filter-form");
  form.elements.in_stock.checked = query.get("in_stock") === "true";
  for (const name of ["price_min", "price_max"]) form.elements[name].value = query.get(name) ?? "";
  showBrands(query.getAll("brand").map((value) => ({ brand: value, count: null })));
  const wanted = query.get("sort");
  const options = [...byId("listing-sort").options].map((option) => option.value);
  byId("listing-sort").value = options.includes(wanted) ? wanted : options[0];
}

/** The chosen filters and order as query parameters; what stands at its default is left out. */
function chosen() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(byId("filter-form"))) {
    if (FILTERS.includes(name) && value.trim()) query.append(name, value.trim());
  }
  const sort = byId("listing-sort").value;
  if (sort !== "relevance") query.set("sort", sort);
  return query;
}

function changed(list) {
  const query = chosen();
  if (list.fixed.q) query.set("q", list.fixed.q);
  history.pushState(null, "", `${location.pathname}${query.size ? `?${query}` : ""}`);
  load(list);
}

function address(list, cursor) {
  const query = chosen();
  for (const [name, value] of Object.entries(list.fixed)) query.set(name, value);
  query.set("limit", PAGE);
  if (cursor) query.set("cursor", cursor);
  return `/v1/products?${query}`;
}

async function load(list) {
  const grid = byId("listing-grid");
  const turn = ++list.asked;
  if (!grid.querySelector(".card")) showSkeletons(grid);
  grid.setAttribute("aria-busy", "true");
  const answer = await get(address(list)).catch((problem) => problem);
  if (turn !== list.asked) return; // a later choice is already on its way
  grid.removeAttribute("aria-busy");
  if (answer instanceof Error) return showProblem(grid, answer);
  grid.replaceChildren(...cards(answer));
  showTotal(list, answer);
  showBrands(answer.facets.brand);
  list.showCategories?.(answer.facets.category);
}

async function more(list) {
  const button = byId("listing-more");
  button.disabled = true;
  const answer = await get(address(list, list.next)).catch((problem) => problem);
  button.disabled = false;
  if (answer instanceof Error) return showProblem(byId("listing-count"), answer);
  const added = cards(answer);
  byId("listing-grid").append(...added);
  added[0]?.querySelector("a").focus();
  return showTotal(list, answer);
}

function cards({ products }) {
  if (products.length) return products.map((product) => element("li", {}, productCard(product)));
  return [element("li", { class: "notice" }, "Nothing in the shop fits. Try fewer words or filters.")];
}

function showTotal(list, { total, next }) {
  list.next = next;
  byId("listing-more").hidden = !next;
  const words = total === 1 ? "1 product" : `${count(total)} products`;
  byId("listing-count").textContent = total == null ? "\u00a0" : words;
}

function showBrands(values) {
  const wanted = new URLSearchParams(location.search).getAll("brand");
  const absent = wanted.filter((brand) => !values.some((value) => value.brand === brand));
  const all = [...values, ...absent.map((brand) => ({ brand, count: null }))];
  byId("brand-facet").replaceChildren(
    ...all.map(({ brand, count: held }) =>
      element(
        "label",
        { class: "check" },
        element("input", { type: "checkbox", name: "brand", value: brand, checked: wanted.includes(brand) }),
        element("span", {}, brand),
        held != null && element("small", {}, count(held)),
      ),
    ),
  );
}

function showSkeletons(grid) {
  grid.replaceChildren(
    ...Array.from({ length: 12 }, () => element("li", { class: "skeleton", "aria-hidden": "true" })),
  );
}

function showProblem(place, problem) {
  const words = element("strong", {}, "The products could not be fetched. ");
  place.replaceChildren(element("li", { class: "notice" }, words, problem.message));
}

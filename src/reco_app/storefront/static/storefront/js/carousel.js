// Rows of recommendations: drawn at once with room for their cards, filled in one round trip.

import { batch, get } from "./api.js";
import { resultCard } from "./card.js";
import { byId, element, icon } from "./dom.js";
import { watchImpressions } from "./impressions.js";
import { identity } from "./visit.js";

const CARDS = 12;

export const TRENDING = {
  id: "trending",
  title: "Trending now",
  note: "What more shoppers choose than usual",
  scenario: "trending",
};

/**
 * Draws rows into #carousels and fills them. A row is `{id, title, note, scenario, items?, budget?,
 * filter?}`, `items` and `budget` functions that tell the products at hand and what is to spend.
 * Returns a function that asks again for the rows of which those products changed.
 */
export function showCarousels(rows) {
  const drawn = rows.map((row) => ({ ...row, ...draw(row) }));
  byId("carousels").replaceChildren(...drawn.map(({ section }) => section));
  const fill = (some) => fillRows(some).catch((problem) => some.forEach((row) => fail(row, problem)));
  fill(drawn);
  return () => fill(drawn.filter((row) => row.items));
}

function draw({ id, title, note }) {
  const track = element("ul", { class: "carousel-track", "aria-busy": "true" });
  track.append(...Array.from({ length: 6 }, () => element("li", { class: "skeleton", "aria-hidden": "true" })));
  const section = element(
    "section",
    { class: "carousel", id: `row-${id}`, "aria-labelledby": `title-${id}` },
    element(
      "div",
      { class: "carousel-head" },
      element(
        "div",
        {},
        element("h2", { id: `title-${id}` }, title),
        note && element("p", { class: "carousel-note" }, note),
      ),
      element("div", { class: "carousel-controls" }, step(track, -1, title), step(track, 1, title)),
    ),
    track,
  );
  return { section, track };
}

function step(track, direction, title) {
  const label = `${direction < 0 ? "Back" : "On"}: ${title}`;
  const move = () => track.scrollBy({ left: direction * track.clientWidth * 0.85 });
  const attributes = { type: "button", class: "icon-button", "aria-label": label, onclick: move };
  return element("button", attributes, icon(direction < 0 ? "left" : "right"));
}

async function fillRows(rows) {
  if (!rows.length) return;
  if (rows.length === 1 && !rows[0].items) return fillOne(rows[0], await get(address(rows[0])));
  const answers = await batch(rows.map(asRequest));
  for (const row of rows) fillOne(row, answers.get(row.id) ?? new Error("There was no answer."));
}

/** Rows without products at hand use the cacheable form: the same address for everybody. */
function asRequest(row) {
  if (!row.items) return { id: row.id, method: "GET", path: address(row) };
  const budget = row.budget?.();
  const body = {
    scenario: row.scenario,
    items: row.items(),
    count: CARDS,
    ...(budget ? { budget } : {}),
    ...(row.filter ? { filter: row.filter } : {}),
    ...identity(),
  };
  return { id: row.id, method: "POST", path: "/v1/recommendations", body };
}

function address({ scenario, filter }) {
  const query = new URLSearchParams({ scenario, count: CARDS });
  for (const category of filter?.category ?? []) query.append("category", category);
  return `/v1/recommendations?${query}`;
}

function fillOne(row, answer) {
  if (answer instanceof Error) return fail(row, answer);
  if (!answer.items.length) return say(row, "Nothing fits here just now.");
  const cards = answer.items.map((result) => resultCard(result, answer.recommendation_id));
  row.track.replaceChildren(...cards.map((card) => element("li", {}, card)));
  row.track.scrollLeft = 0;
  row.track.removeAttribute("aria-busy");
  watchImpressions(cards, answer);
  return undefined;
}

function fail(row, problem) {
  const retry = element(
    "button",
    { type: "button", class: "link-button", onclick: () => fillRows([row]).catch((again) => fail(row, again)) },
    "Ask again",
  );
  say(row, "These suggestions did not come: ", problem.message, " The shop works without them. ", retry);
}

function say(row, ...words) {
  row.track.replaceChildren(element("li", { class: "notice" }, ...words));
  row.track.removeAttribute("aria-busy");
}

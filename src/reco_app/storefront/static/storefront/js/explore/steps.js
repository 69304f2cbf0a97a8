// For staff: how the answer came about, and why a product is not in it.

import { post } from "../api.js";
import { byId, element } from "../dom.js";
import { titlesOf } from "../products.js";
import { productPicker } from "./picker.js";

let shown = null;

/** Called with each new answer; asks for its steps only while the panel is open. */
export function offerSteps(request, answer) {
  const panel = byId("steps");
  if (!panel) return;
  shown = { request, recommendation_id: answer.recommendation_id };
  panel.ontoggle = () => panel.open && explain();
  if (panel.open) explain();
}

async function explain(item_id) {
  const asked = { ...shown, ...(item_id ? { item_id } : {}) };
  try {
    const why = await post("/v1/recommendations/why", asked);
    if (asked.recommendation_id !== shown.recommendation_id) return;
    const titles = await titlesOf([...why.steps.map((step) => step.item_id), ...(item_id ? [item_id] : [])]);
    byId("steps-body").replaceChildren(facts(why), ruleList(why.rules), table(why.steps, titles), absence(why.item, titles));
  } catch (problem) {
    byId("steps-body").replaceChildren(element("p", { class: "notice" }, problem.message));
  }
}

function facts(why) {
  const told = {
    Release: why.release || "none",
    Scenario: why.placement ? `${why.scenario}, by the placement ${why.placement}` : why.scenario,
    Candidates: `${why.candidates} found by the engine; ${why.allowed} products pass the filters and may be sold`,
    Curation:
      why.curation_version === why.curation_version_now
        ? `version ${why.curation_version}, as now`
        : `version ${why.curation_version} then, ${why.curation_version_now} now`,
    "Newest event":
      why.delta_position === why.delta_position_now
        ? "the same as now"
        : `number ${why.delta_position} then, ${why.delta_position_now} now: order and counts may differ`,
  };
  if (why.filter_set_aside) told.Filter = "set aside, because nothing passed it";
  const rows = Object.entries(told).map(([name, words]) => [element("dt", {}, name), element("dd", {}, words)]);
  return element("dl", { class: "steps-facts" }, rows.flat());
}

function ruleList(rules) {
  if (!rules.length) return element("p", { class: "panel-note" }, "No rule of the shop applies here.");
  const words = ({ id, kind, target, factor, position, note }) => {
    const effect = kind === "pin" ? ` at ${position}` : kind === "hide" ? "" : ` × ${factor}`;
    return element("li", {}, `Rule ${id}: ${kind} ${target}${effect}${note ? ` (${note})` : ""}`);
  };
  return element("ul", { class: "panel-note" }, rules.map(words));
}

function table(steps, titles) {
  const names = ["#", "Product", "Source", "Engine", "Rules", "Profile", "Score", "By score", "Placed by"];
  const head = names.map((name, at) => element("th", { scope: "col", class: wordy(at) }, name));
  const rows = steps.map((step) => {
    const rule = step.rules.length ? `× ${figure(step.rule_factor)} (${step.rules.join(", ")})` : "";
    const profile = step.profile_factor === 1 ? "" : `× ${figure(step.profile_factor)}`;
    const cells = [step.position, titles.get(step.item_id), step.source, figure(step.engine_score), rule, profile, figure(step.score), step.place_by_score ?? "–", placedBy(step)];
    return element("tr", {}, cells.map((cell, at) => element("td", { class: wordy(at) }, String(cell))));
  });
  const whole = element("table", { class: "steps-table" }, element("thead", {}, element("tr", {}, head)), element("tbody", {}, rows));
  return element("div", { class: "steps-scroll", tabindex: 0, role: "region", "aria-label": "Steps" }, whole);
}

/** What moved a product from the place that its score alone would give it. */
function placedBy({ placed_by, budget_factor, beyond_budget }) {
  const words = placed_by === "score" ? [] : [placed_by];
  if (budget_factor !== 1) words.push(`gap × ${figure(budget_factor)}`);
  if (beyond_budget) words.push("beyond the budget");
  return words.join(", ");
}

function wordy(column) {
  return [1, 2, 8].includes(column) ? "steps-words" : null;
}

function figure(value) {
  return value == null ? "–" : new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 }).format(value);
}

function absence(item, titles) {
  const [input, list] = productPicker({ label: "Why is a product not here?", chosen: ({ id }) => explain(id) });
  input.placeholder = "Why is … not here?";
  const words = item && (item.shown_at ? [`It is shown at ${item.shown_at}.`] : item.absent_because.map(({ detail }) => detail));
  return element(
    "div",
    { class: "steps-absent" },
    element("div", { class: "picker" }, input, list),
    item && element("p", { role: "status" }, element("strong", {}, `${titles.get(item.item_id)}: `), words.join(" ")),
  );
}

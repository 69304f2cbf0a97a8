// The request that the form stands for; the address keeps it, so that it can be shared.

import { byId } from "../dom.js";

const SCENARIOS = ["session", "basket", "similar", "trending", "popular", "new"];

/** The request of API shape, without what stands at its default. */
export function readQuestion(items) {
  const { elements: fields } = byId("question");
  const request = { scenario: fields.scenario.value || fields.placement.value.trim() || "session" };
  if (items.length) request.items = items.map((item) => ({ ...item }));
  request.count = Number(fields.count.value) || 12;
  if (fields.profile.value) request.profile = fields.profile.value;
  const filter = readFilter(fields);
  if (Object.keys(filter).length) request.filter = filter;
  if (Number(fields.diversity.value)) request.diversity = Number(fields.diversity.value);
  if (fields.include_context.checked) request.include_context = true;
  return request;
}

function readFilter(fields) {
  const filter = {};
  for (const name of ["category", "brand"]) {
    if (fields[name].value.trim()) filter[name] = [fields[name].value.trim()];
  }
  for (const name of ["price_min", "price_max"]) {
    if (fields[name].value.trim()) filter[name] = fields[name].value.trim();
  }
  if (!fields.in_stock.checked) filter.in_stock = false;
  return filter;
}

/** Fills the form from a request; the products at hand are shown elsewhere. */
export function writeQuestion({ scenario = "session", count = 12, profile = "", filter = {}, diversity = 0, include_context = false }) {
  const { elements: fields } = byId("question");
  const known = SCENARIOS.includes(scenario);
  fields.scenario.value = known ? scenario : "";
  fields.placement.value = known ? "" : scenario;
  fields.count.value = count;
  if (profile && ![...fields.profile.options].some(({ value }) => value === profile)) {
    fields.profile.add(new Option(profile, profile));
  }
  fields.profile.value = profile;
  fields.category.value = filter.category?.[0] ?? "";
  fields.brand.value = filter.brand?.[0] ?? "";
  fields.price_min.value = filter.price_min ?? "";
  fields.price_max.value = filter.price_max ?? "";
  fields.in_stock.checked = filter.in_stock !== false;
  fields.diversity.value = diversity;
  fields.include_context.checked = include_context;
  showDependent();
}

export function showDependent() {
  const { elements: fields } = byId("question");
  byId("placement-label").hidden = fields.scenario.value !== "";
  byId("diversity-shown").textContent = fields.diversity.value;
}

export function requestInAddress() {
  try {
    return JSON.parse(decodeURIComponent(location.hash.slice(1)));
  } catch {
    return null;
  }
}

export function keepInAddress(request) {
  history.replaceState(null, "", `#${encodeURIComponent(JSON.stringify(request))}`);
}

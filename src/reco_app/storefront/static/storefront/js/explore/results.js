// The answer: each product with its score, source, shares and evidence.

import { byId, element } from "../dom.js";
import { picture } from "../drawings.js";
import { effectivePrice, money } from "../money.js";
import { productPath, remember, titlesOf } from "../products.js";
import { percent, reasonWords } from "../words.js";
import { colourOf } from "./items.js";

const MILLISECONDS = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** `timing` is `{waited, whole}` in milliseconds, as this browser measured. */
export async function showAnswer(request, answer, timing) {
  for (const { item_id, product } of answer.items) remember(item_id, product);
  const driving = answer.items.flatMap(({ reasons }) => reasons.map((reason) => reason.item_id));
  const titles = await titlesOf([...new Set(driving.filter(Boolean))]);
  const best = Math.max(...answer.items.map((result) => result.score), Number.MIN_VALUE);
  byId("results").replaceChildren(
    ...answer.items.map((result) => row(result, request.items ?? [], titles, best)),
  );
  byId("answer-facts").replaceChildren(...facts(answer, timing));
}

export function showProblem(problem) {
  const fields = (problem.problem?.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  const words = [problem.message, ...fields].filter((each, at, all) => all.indexOf(each) === at);
  byId("results").replaceChildren();
  byId("answer-facts").replaceChildren(
    element("p", { class: "notice" }, element("strong", {}, `${problem.status || "No answer"}: `), words.join(" ")),
  );
}

function facts({ items, model, missing_ids, warnings, degraded }, { waited, whole }) {
  return [
    fact(element("strong", {}, String(items.length)), items.length === 1 ? " product" : " products"),
    fact("answered in ", element("strong", {}, `${MILLISECONDS.format(waited)} ms`), `, here after ${MILLISECONDS.format(whole)} ms`),
    fact(model ? `release ${model.version}` : "no release yet"),
    ...missing_ids.map((id) => warning(`${id} is unknown`)),
    ...warnings.map(({ detail }) => warning(detail)),
    ...degraded.map((neighbour) => warning(`Answered without ${neighbour}, which is away`)),
  ];
}

function fact(...words) {
  return element("span", { class: "fact" }, ...words);
}

function warning(words) {
  return element("span", { class: "fact fact-warning" }, words);
}

function row(result, items, titles, best) {
  const product = result.product ?? { title: result.item_id };
  const price = money(effectivePrice(product), product.currency);
  const link = element("a", { href: productPath(result.item_id) }, product.title);
  return element(
    "li",
    { class: "result", "data-item": result.item_id },
    element("span", { class: "result-place" }, String(result.position)),
    picture(product),
    element(
      "div",
      {},
      element("p", { class: "result-title" }, link),
      element("small", {}, [price, product.brand, result.item_id].filter(Boolean).join(" · ")),
    ),
    reasons(result, items, titles),
    element(
      "div",
      { class: "result-score" },
      element("strong", {}, score(result.score)),
      element("span", { class: "bar", "--share": Math.max(0, result.score) / best, "aria-hidden": "true" }, element("i")),
      element("span", { class: "source" }, result.source),
    ),
  );
}

function score(value) {
  return new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 }).format(value);
}

function reasons({ reasons: all }, items, titles) {
  const driven = all.filter((reason) => reason.item_id);
  const shares = driven.map(({ item_id, share }) =>
    element("i", { "--share": share, "--item-colour": colourOf(items, item_id) }),
  );
  const words = all.map((reason) =>
    element(
      "li",
      {},
      element("div", {}, reasonWords(reason, titles)),
      element("span", {}, reason.item_id ? percent(reason.share) : ""),
    ),
  );
  return element(
    "div",
    { class: "result-why" },
    driven.length > 0 && element("div", { class: "shares", "aria-hidden": "true" }, shares),
    element("ul", {}, words),
  );
}

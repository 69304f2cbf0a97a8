import { announce } from "../announce.js";
import { get, post } from "../api.js";
import { visitItems } from "../context.js";
import { byId, element } from "../dom.js";
import { showItems } from "../explore/items.js";
import { productPicker } from "../explore/picker.js";
import { keepInAddress, readQuestion, requestInAddress, showDependent, writeQuestion } from "../explore/question.js";
import { showAnswer, showProblem } from "../explore/results.js";
import { offerSteps } from "../explore/steps.js";
import { startFrame } from "../frame.js";

const WAIT_MS = 250;
const MOST_ITEMS = 50;
const PATH = "/v1/recommendations";
const items = [];
let timer = 0;
let turn = 0;

async function recommend() {
  const mine = ++turn;
  const request = readQuestion(items);
  keepInAddress(request);
  byId("raw-request").textContent = `POST ${PATH}\n\n${JSON.stringify(request, null, 2)}`;
  byId("answer-facts").setAttribute("aria-busy", "true");
  try {
    const began = performance.now();
    const answer = await post(PATH, request);
    if (mine !== turn) return; // a later change is already on its way
    byId("raw-answer").textContent = JSON.stringify(answer, null, 2);
    await showAnswer(request, answer, timing(began));
    offerSteps(request, answer);
  } catch (problem) {
    if (mine !== turn) return;
    byId("raw-answer").textContent = JSON.stringify(problem.problem ?? {}, null, 2);
    showProblem(problem);
  }
  byId("answer-facts").removeAttribute("aria-busy");
}

/** How long the answer took: until its first byte, and until this page had it. */
function timing(began) {
  const whole = performance.now() - began;
  const entries = performance.getEntriesByName(new URL(PATH, location.href).href);
  const last = entries.filter((entry) => entry.startTime >= began - 1).at(-1);
  return { whole, waited: last ? last.responseStart - last.requestStart : whole };
}

function later() {
  showDependent();
  clearTimeout(timer);
  timer = setTimeout(recommend, WAIT_MS);
}

function pick(product) {
  if (items.length >= MOST_ITEMS) return announce(`A request names at most ${MOST_ITEMS} products`);
  const others = items.filter((item) => item.item_id !== product.id);
  items.splice(0, items.length, ...others, { item_id: product.id, event_type: "view", quantity: 1, age_seconds: 0 });
  showItems(items, later);
  return later();
}

function start(request) {
  items.splice(0, items.length, ...(request.items ?? []));
  writeQuestion(request);
  showItems(items, later);
  byId("explore").removeAttribute("data-starting");
  recommend();
}

async function offerNames(departments) {
  byId("category-names").replaceChildren(...departments.map(({ path }) => element("option", { value: path })));
  const { facets } = await get("/v1/products?limit=1");
  byId("brand-names").replaceChildren(...facets.brand.map(({ brand }) => element("option", { value: brand })));
}

async function offerProfiles() {
  const { profiles } = await get("/v1/profiles");
  const list = byId("profile");
  const chosen = list.value;
  for (const { slug, name } of profiles) if (slug !== chosen) list.add(new Option(name, slug));
  const named = profiles.find(({ slug }) => slug === chosen);
  if (named && chosen) list.selectedOptions[0].textContent = named.name;
}

function curl() {
  const body = JSON.stringify(readQuestion(items)).replaceAll("'", "'\\''");
  return `curl -s ${location.origin}${PATH} -H 'Content-Type: application/json' -d '${body}'`;
}

async function copy(name) {
  const words = name === "raw-request" ? curl() : byId(name).textContent;
  try {
    await navigator.clipboard.writeText(words);
    announce("Copied");
  } catch {
    announce("This browser does not let the page copy");
  }
}

byId("item-picker").append(...productPicker({ label: "Add a product", chosen: pick }));
byId("question").addEventListener("input", (event) => event.target.name && later());
byId("question").addEventListener("submit", (event) => {
  event.preventDefault();
  recommend();
});
byId("clear").addEventListener("click", () => start({}));
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button.dataset.copy));
}
addEventListener("hashchange", () => start(requestInAddress() ?? {}));
start(requestInAddress() ?? { items: visitItems() });
startFrame((departments) => offerNames(departments).catch(() => {})); // names are a convenience
offerProfiles().catch(() => {}); // without them the list offers none

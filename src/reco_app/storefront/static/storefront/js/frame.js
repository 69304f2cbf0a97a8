// What every page of the shop does: theme, basket count, departments, consent, forgetting.

import { announce } from "./announce.js";
import { get } from "./api.js";
import { onChange, pieces } from "./basket.js";
import { byId, element } from "./dom.js";
import { categoryPath } from "./products.js";
import { browser, tab } from "./storage.js";
import { choose, consent, forgetVisit } from "./visit.js";

const DEPARTMENTS_KEPT_MS = 5 * 60 * 1000;
const MOST_DEPARTMENTS = 24;

function startTheme() {
  const toggle = byId("theme-toggle");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => toggle.setAttribute("aria-pressed", String(dark()));
  toggle.addEventListener("click", () => {
    const theme = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    // theme.js reads it before any module runs, so it is kept as the bare word.
    try {
      localStorage.setItem("multireco.theme", theme);
    } catch {
      // The choice then lasts for this page.
    }
    show();
  });
  system.addEventListener("change", show);
  show();
}

function startBasketCount() {
  const show = () => {
    const held = pieces();
    byId("basket-count").textContent = held > 99 ? "99+" : String(held);
    byId("basket-link").setAttribute("aria-label", `Basket, ${held} ${held === 1 ? "piece" : "pieces"}`);
  };
  onChange(show);
  show();
}

function startConsent() {
  const bar = byId("consent");
  bar.hidden = consent() !== null;
  bar.addEventListener("click", (event) => {
    const answer = event.target.closest("[data-consent]")?.dataset.consent;
    if (!answer) return;
    choose(answer);
    bar.hidden = true;
    announce(answer === "yes" ? "Thank you" : "Nothing will be linked");
  });
}

function startForgetting() {
  byId("forget-visit").addEventListener("click", async () => {
    const session = forgetVisit();
    browser.forget("consent");
    if (session) await fetch(`/v1/sessions/${session}`, { method: "DELETE" }).catch(() => {});
    byId("consent").hidden = consent() !== null;
    announce("This visit is forgotten");
  });
}

/** The topmost categories, largest first; kept for this tab, as the whole tree is long. */
async function departments() {
  const kept = tab.read("departments", null);
  if (kept && Date.now() - kept.at < DEPARTMENTS_KEPT_MS) return kept.list;
  const { categories } = await get("/v1/categories");
  const list = categories.map(({ name, path, count }) => ({ name, path, count }));
  list.sort((one, other) => other.count - one.count);
  tab.write("departments", { at: Date.now(), list });
  return list;
}

function showDepartments(list) {
  const here = `${location.pathname}/`;
  byId("departments").replaceChildren(
    ...list.slice(0, MOST_DEPARTMENTS).map(({ name, path }) => {
      const current = here.startsWith(`${categoryPath(path)}/`);
      return element("li", {}, element("a", { href: categoryPath(path), "aria-current": current && "true" }, name));
    }),
  );
}

/** Starts the frame; `use` is given the departments by the page that shows more of them. */
export async function startFrame(use = () => {}) {
  startTheme();
  startBasketCount();
  startConsent();
  startForgetting();
  const list = await departments().catch(() => []); // the page goes on without its menu
  showDepartments(list);
  use(list);
}

// What this tab looked at, and whether its visitor lets the shop link it under a random number.

import { browser, tab } from "./storage.js";

const KEPT_VIEWS = 20;

/** The products looked at in this tab, oldest first: `[{item_id, at}]`, `at` in milliseconds. */
export function recentViews() {
  return tab.read("views", []);
}

export function noteView(itemId) {
  const others = recentViews().filter((view) => view.item_id !== itemId);
  tab.write("views", [...others, { item_id: itemId, at: Date.now() }].slice(-KEPT_VIEWS));
}

/** A product that turns out not to be sold was not looked at. */
export function dropView(itemId) {
  tab.write("views", recentViews().filter((view) => view.item_id !== itemId));
}

/** "yes", "no", or null while the visitor has not chosen. Global Privacy Control is a no. */
export function consent() {
  return navigator.globalPrivacyControl ? "no" : browser.read("consent", null);
}

export function choose(answer) {
  browser.write("consent", answer);
  if (answer === "no") tab.forget("session");
}

/** What may be said of who asks: a random number of this tab, after consent; otherwise nothing. */
export function identity() {
  if (consent() !== "yes") return {};
  let session = tab.read("session", null);
  if (!session) {
    session = randomId();
    tab.write("session", session);
  }
  return { session_id: session, consent: true };
}

/** Remembers which recommendation led to a product, so that a purchase can be credited to it. */
export function creditTo(itemId, { recommendation_id, position }) {
  const credits = Object.entries({ ...tab.read("credits", {}), [itemId]: { recommendation_id, position } });
  tab.write("credits", Object.fromEntries(credits.slice(-KEPT_VIEWS)));
}

export function creditOf(itemId) {
  return tab.read("credits", {})[itemId] ?? {};
}

export function forgetVisit() {
  const session = tab.read("session", null);
  for (const name of ["views", "session", "credits"]) tab.forget(name);
  return session;
}

/** 128 random bits; also where `crypto.randomUUID` is missing, as over plain HTTP. */
export function randomId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

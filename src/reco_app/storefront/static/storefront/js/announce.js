// One sentence, seen as a toast and heard through the page's live region.

import { byId } from "./dom.js";

const SHOWN_MS = 3500;
let timer = 0;

export function announce(words) {
  const region = byId("announcements");
  region.textContent = words;
  clearTimeout(timer);
  timer = setTimeout(() => region.replaceChildren(), SHOWN_MS);
}

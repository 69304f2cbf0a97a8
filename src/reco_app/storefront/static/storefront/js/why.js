// The "why" of a card: one popover of the page, filled with the reasons of the card that asked.

import { byId, element, icon } from "./dom.js";
import { titlesOf } from "./products.js";
import { percent, reasonWords, sourceWords } from "./words.js";

const EDGE_PX = 16;
let asking = null;
let dismissed = { button: null, at: 0 };

export function whyButton(result, product) {
  const button = element(
    "button",
    {
      type: "button",
      class: "why-button",
      "aria-haspopup": "dialog",
      "aria-expanded": "false",
      "aria-label": `Why ${product.title || result.item_id}?`,
      onclick: () => open(button, result, product),
    },
    icon("why"),
    "Why",
  );
  return button;
}

async function open(button, result, product) {
  // A press on the button of an open popover has already closed it: leave it closed.
  if (dismissed.button === button && performance.now() - dismissed.at < 250) return;
  const titles = await titlesOf(result.reasons.map((reason) => reason.item_id).filter(Boolean));
  const popover = byId("why") ?? made();
  popover.replaceChildren(...contents(result, product, titles));
  asking = button;
  popover.style.inset = "0 auto auto 0";
  popover.showPopover({ source: button });
  keepBeside(popover);
  button.setAttribute("aria-expanded", "true");
}

function made() {
  const popover = element("div", {
    id: "why",
    class: "why",
    popover: "auto",
    role: "dialog",
    "aria-labelledby": "why-title",
    onbeforetoggle: (event) => event.newState === "closed" && closed(),
  });
  document.body.append(popover);
  const moved = (event) => popover.contains(event.target) || keepBeside(popover);
  addEventListener("scroll", moved, { capture: true, passive: true });
  addEventListener("resize", () => keepBeside(popover));
  return popover;
}

/** Stays with its button while the page moves, and closes once that is out of sight. */
function keepBeside(popover) {
  if (!popover.matches(":popover-open")) return;
  const anchor = asking.getBoundingClientRect();
  const seen = asking.isConnected && anchor.bottom >= 0 && anchor.top <= innerHeight;
  if (!seen) popover.hidePopover();
  else place(popover, anchor);
}

function closed() {
  dismissed = { button: asking, at: performance.now() };
  asking?.setAttribute("aria-expanded", "false");
}

function contents(result, product, titles) {
  return [
    element("h3", { id: "why-title" }, `Why ${product.title || result.item_id}?`),
    element(
      "button",
      {
        type: "button",
        class: "icon-button why-close",
        "aria-label": "Close",
        autofocus: true,
        onclick: () => byId("why").hidePopover(),
      },
      icon("close"),
    ),
    reasonList(result, titles),
    element(
      "p",
      { class: "why-foot" },
      `${sourceWords(result.source)}. Only the products at hand were used: the shop keeps no profile of you.`,
    ),
  ];
}

/** The reasons in words, each with a bar for its share where a product drove the result. */
export function reasonList({ reasons, source }, titles) {
  if (!reasons.length) return element("p", { class: "reasons" }, sourceWords(source));
  return element("ul", { class: "reasons" }, reasons.map((reason) => reasonItem(reason, titles)));
}

function reasonItem(reason, titles) {
  const share = element(
    "div",
    { class: "reason-share" },
    element("span", { class: "bar", "--share": reason.share, "aria-hidden": "true" }, element("i")),
    `${percent(reason.share)} of the score`,
  );
  const words = element("p", {}, reasonWords(reason, titles));
  return element("li", { class: "reason" }, words, reason.item_id && share);
}

function place(popover, anchor) {
  const { offsetWidth: width, offsetHeight: height } = popover;
  const left = Math.min(anchor.left, innerWidth - width - EDGE_PX);
  const below = anchor.bottom + 8;
  const top = below + height + EDGE_PX > innerHeight ? anchor.top - height - 8 : below;
  popover.style.inset = `${Math.max(EDGE_PX, top)}px auto auto ${Math.max(EDGE_PX, left)}px`;
}

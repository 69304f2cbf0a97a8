// A quantity with a button on either side.

import { element, icon } from "./dom.js";

/** `change(quantity)` is called with each new quantity within the bounds. */
export function stepper({ quantity, least, most, title, change }) {
  let held = quantity;
  const shown = element("span", {}, String(held));
  const step = (by, name, label) =>
    element(
      "button",
      {
        type: "button",
        class: "icon-button",
        "aria-label": `${label} ${title}`,
        "data-step": by,
        onclick: () => {
          held = Math.max(least, Math.min(most, held + by));
          shown.textContent = String(held);
          change(held);
        },
      },
      icon(name),
    );
  const group = { class: "stepper", role: "group", "aria-label": `Quantity of ${title}` };
  return element("div", group, step(-1, "minus", "One less of"), shown, step(1, "plus", "One more of"));
}

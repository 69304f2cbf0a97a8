// Where a page stands in the catalogue.

import { byId, element } from "./dom.js";
import { categoryPath } from "./products.js";

/** Home, then each ancestor of an "A > B > C" path; `here` names the page itself, if it is no category. */
export function showBreadcrumb(path, here = null) {
  const names = path ? path.split(" > ") : [];
  const links = names.map((name, depth) => {
    const current = !here && depth === names.length - 1;
    const address = categoryPath(names.slice(0, depth + 1).join(" > "));
    return element("a", { href: address, "aria-current": current && "page" }, name);
  });
  const steps = [element("a", { href: "/shop/" }, "Home"), ...links];
  if (here) steps.push(element("span", { "aria-current": "page" }, here));
  byId("breadcrumb").replaceChildren(...steps.map((step) => element("li", {}, step)));
}

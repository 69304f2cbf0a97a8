import { showBreadcrumb } from "../breadcrumb.js";
import { showCarousels } from "../carousel.js";
import { byId, element } from "../dom.js";
import { startFrame } from "../frame.js";
import { startListing } from "../listing.js";
import { count } from "../money.js";
import { categoryPath } from "../products.js";

// The address keeps a slash inside a name as %2F, so it is split before it is decoded.
const names = location.pathname.replace(/^\/shop\/c\//, "").split("/").filter(Boolean).map(decodeURIComponent);
const path = names.join(" > ");
const name = names.at(-1);

function showNarrower(categories) {
  byId("subcategories").replaceChildren(
    ...categories.map((child) => {
      const words = [child.name, element("small", {}, count(child.count))];
      return element("li", {}, element("a", { href: categoryPath(child.path) }, words));
    }),
  );
}

document.title = `${name} · Larder & Co`;
byId("listing-title").textContent = name;
showBreadcrumb(path);
startListing({ category: path }, showNarrower);
showCarousels([
  {
    id: "trending",
    title: `Trending in ${name}`,
    note: "What more shoppers choose than usual",
    scenario: "trending",
    filter: { category: [path] },
  },
]);
startFrame();

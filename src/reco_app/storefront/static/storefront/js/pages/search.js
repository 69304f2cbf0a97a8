import { showBreadcrumb } from "../breadcrumb.js";
import { showCarousels } from "../carousel.js";
import { visitItems } from "../context.js";
import { byId } from "../dom.js";
import { startFrame } from "../frame.js";
import { startListing } from "../listing.js";

const words = (new URLSearchParams(location.search).get("q") ?? "").trim();

document.title = `${words || "Search"} · Larder & Co`;
byId("search-words").value = words;
byId("listing-title").textContent = words ? `“${words}”` : "All products";
showBreadcrumb("", "Search");
startListing(words ? { q: words } : {});
showCarousels([
  visitItems().length
    ? { id: "visit", title: "For this visit", note: "From what is at hand in this tab", scenario: "session", items: visitItems }
    : { id: "trending", title: "Trending now", note: "What more shoppers choose than usual", scenario: "trending" },
]);
startFrame();

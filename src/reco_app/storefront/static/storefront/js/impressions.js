// A card counts as seen once half of it was in view for a second.

import { record } from "./events.js";

const SEEN_MS = 1000;

export function watchImpressions(cards, { items, recommendation_id }) {
  const results = new Map(cards.map((card, index) => [card, items[index]]));
  const timers = new Map();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        clearTimeout(timers.get(target));
        if (isIntersecting) timers.set(target, setTimeout(() => seen(target), SEEN_MS));
      }
    },
    { threshold: 0.5 },
  );
  function seen(card) {
    observer.unobserve(card);
    if (!card.isConnected) return;
    const { item_id, position } = results.get(card);
    record({ event_type: "impression", item_id, position, recommendation_id });
  }
  for (const card of cards) observer.observe(card);
}

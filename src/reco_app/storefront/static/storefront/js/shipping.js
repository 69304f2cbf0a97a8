// Free delivery: from which sum on, and what a basket lacks of it.

export const FREE_FROM = 25;

/** What is missing, as a decimal string in the shop's currency; empty once delivery is free. */
export function shippingGap(total) {
  const missing = FREE_FROM - total;
  return missing >= 0.005 ? missing.toFixed(2) : "";
}

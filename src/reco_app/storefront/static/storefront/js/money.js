// Money is a decimal string and a currency; only the browser turns it into local form.

const forms = new Map();

export function money(amount, currency) {
  if (amount == null) return "";
  if (!forms.has(currency)) {
    forms.set(currency, new Intl.NumberFormat(undefined, { style: "currency", currency: currency || "USD" }));
  }
  return forms.get(currency).format(Number(amount));
}

export function onSale({ price, sale_price }) {
  return sale_price != null && price != null && Number(sale_price) < Number(price);
}

/** What the shopper pays, as the decimal string of the API. */
export function effectivePrice(product) {
  return onSale(product) ? product.sale_price : product.price;
}

export function count(number) {
  return new Intl.NumberFormat().format(number);
}

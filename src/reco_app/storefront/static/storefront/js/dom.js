// One way to make elements: no markup from strings, so nothing in a feed can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes, listeners (`onclick: f`), inline custom properties, and children. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) made.style.setProperty(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child != null && child !== false));
  return made;
}

/** A drawing of the sprite; decorative, so hidden from assistive technology. */
export function sprite(name, { className = "", viewBox = "0 0 64 64" } = {}) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", viewBox);
  drawing.setAttribute("aria-hidden", "true");
  if (className) drawing.setAttribute("class", className);
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.body.dataset.drawings}#${name}`);
  drawing.append(use);
  return drawing;
}

export function icon(name) {
  return sprite(`icon-${name}`, { className: "icon", viewBox: "0 0 24 24" });
}

export function byId(id) {
  return document.getElementById(id);
}

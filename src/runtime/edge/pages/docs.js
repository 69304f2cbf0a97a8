// Renders the merged OpenAPI document as a page to read; nothing comes from another host.

const METHODS = ["get", "post", "put", "patch", "delete"];
const DEEPEST = 6; // schemas may contain themselves

const target = document.getElementById("document");

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Descriptions are prose in which `backticks` mark code.
function prose(name, text) {
  const parts = (text ?? "").split("`");
  return element(name, {}, ...parts.map((part, at) => (at % 2 ? element("code", {}, part) : part)));
}

function resolve(api, node) {
  let found = node;
  while (found && found.$ref) {
    found = found.$ref.slice(2).split("/").reduce((at, key) => at?.[key], api);
  }
  return found ?? {};
}

function bounds(schema) {
  const told = [];
  if (schema.enum) told.push(schema.enum.map((value) => JSON.stringify(value)).join(" | "));
  if ("const" in schema) told.push(JSON.stringify(schema.const));
  if (schema.format) told.push(schema.format);
  if (schema.pattern) told.push(schema.pattern);
  for (const [low, high, unit] of [
    ["minimum", "maximum", ""],
    ["exclusiveMinimum", "exclusiveMaximum", "exclusive"],
    ["minLength", "maxLength", "characters"],
    ["minItems", "maxItems", "entries"],
  ]) {
    const [least, most] = [schema[low], schema[high]];
    if (least !== undefined && most !== undefined) told.push(`${least} to ${most} ${unit}`.trim());
    else if (most !== undefined) told.push(`up to ${most} ${unit}`.trim());
    else if (least !== undefined) told.push(`at least ${least} ${unit}`.trim());
  }
  if ("default" in schema && schema.default !== null) {
    told.push(`default ${JSON.stringify(schema.default)}`);
  }
  return told.join(", ");
}

function typeOf(api, schema) {
  const known = resolve(api, schema);
  const choices = known.anyOf ?? known.oneOf;
  if (choices) return choices.map((choice) => typeOf(api, choice)).join(" or ");
  if (known.type === "array") return `list of ${typeOf(api, known.items ?? {})}`;
  const type = Array.isArray(known.type) ? known.type.join(" or ") : known.type;
  return type ?? known.title ?? "any";
}

function inner(api, schema) {
  const known = resolve(api, schema);
  if (known.properties || known.additionalProperties) return known;
  if (known.type === "array") return inner(api, known.items ?? {});
  for (const choice of known.anyOf ?? known.oneOf ?? known.allOf ?? []) {
    const found = inner(api, choice);
    if (found) return found;
  }
  return null;
}

function fields(api, schema, depth = 0) {
  const known = inner(api, schema);
  if (!known?.properties || depth > DEEPEST) return null;
  const list = element("ul", { class: "schema" });
  for (const [name, field] of Object.entries(known.properties)) {
    list.append(fieldLine(api, name, field, (known.required ?? []).includes(name), depth));
  }
  return list;
}

// A field that may also be null has its bounds and its words in the other choice.
function described(api, field) {
  const known = { ...resolve(api, field), ...field };
  const choices = (known.anyOf ?? []).filter((choice) => choice.type !== "null");
  return choices.length === 1 ? { ...resolve(api, choices[0]), ...known } : known;
}

function fieldLine(api, name, field, required, depth) {
  const known = described(api, field);
  const line = element("li", {}, element("code", {}, name), " ");
  line.append(element("span", { class: "type" }, typeOf(api, field)), " ");
  if (required) line.append(element("span", { class: "must" }, "required"), " ");
  const limits = bounds(known);
  if (limits) line.append(element("code", { class: "type" }, limits), " ");
  if (known.description) line.append(prose("span", known.description));
  line.append(fields(api, field, depth + 1) ?? "");
  return line;
}

function access(operation) {
  const ways = operation.security ?? [];
  const scopes = ways.flatMap((way) => Object.values(way).flat());
  if (!scopes.length) return null;
  const needed = ways.every((way) => Object.keys(way).length);
  return prose("p", `${needed ? "Needs" : "May have"} a key with the scope \`${scopes[0]}\`.`);
}

function parameters(api, operation) {
  const given = (operation.parameters ?? []).map((one) => resolve(api, one));
  if (!given.length) return null;
  const list = element("ul", { class: "schema" });
  for (const one of given) {
    const described = { ...one.schema, description: one.description ?? one.schema?.description };
    const name = one.in === "query" ? `?${one.name}` : one.in === "path" ? `{${one.name}}` : one.name;
    list.append(fieldLine(api, name, described, one.required, 0));
  }
  return element("section", {}, element("h3", {}, "Parameters"), list);
}

function requestBody(api, operation) {
  const content = resolve(api, operation.requestBody ?? {}).content;
  if (!content) return null;
  const section = element("section", {}, element("h3", {}, "Body"));
  for (const [type, media] of Object.entries(content)) {
    section.append(element("p", {}, element("code", {}, type), " ",
      element("span", { class: "type" }, typeOf(api, media.schema ?? {}))));
    section.append(fields(api, media.schema ?? {}) ?? "");
    const example = media.example ?? resolve(api, media.schema ?? {}).examples?.[0];
    if (example) {
      section.append(element("pre", { class: "wide" }, JSON.stringify(example, null, 2)));
    }
  }
  return section;
}

function answers(api, operation) {
  const section = element("section", {}, element("h3", {}, "Answers"));
  for (const [status, reference] of Object.entries(operation.responses ?? {})) {
    const answer = resolve(api, reference);
    section.append(element("p", {}, element("code", {}, status === "default" ? "4xx, 5xx" : status),
      " ", prose("span", answer.description)));
    if (status[0] !== "2") continue;
    for (const media of Object.values(answer.content ?? {})) {
      section.append(fields(api, media.schema ?? {}) ?? "");
    }
  }
  return section;
}

function call(api, path, method, operation) {
  const id = operation.operationId ?? `${method}${path}`;
  return element("details", { class: "call", id },
    element("summary", {},
      element("span", { class: `method ${method}` }, method.toUpperCase()),
      element("code", {}, path),
      element("span", { class: "what" }, operation.summary ?? "")),
    element("div", { class: "inside" },
      operation.description ? prose("p", operation.description) : null,
      access(operation), parameters(api, operation), requestBody(api, operation),
      answers(api, operation)));
}

function byTag(api) {
  const groups = new Map((api.tags ?? []).map((tag) => [tag.name, { tag, calls: [] }]));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const name = item[method].tags?.[0] ?? "other";
      if (!groups.has(name)) groups.set(name, { tag: { name }, calls: [] });
      groups.get(name).calls.push(call(api, path, method, item[method]));
    }
  }
  return [...groups.values()].filter((group) => group.calls.length);
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named?.matches("details")) {
    named.open = true;
    named.scrollIntoView();
  }
}

function show(api) {
  target.replaceChildren(
    element("h1", {}, `${api.info.title} API, version ${api.info.version}`),
    prose("p", api.info.description));
  for (const { tag, calls } of byTag(api)) {
    const heading = element("h2", {}, tag.name);
    if (tag.description) heading.append(prose("small", tag.description));
    target.append(heading, ...calls);
  }
  target.setAttribute("aria-busy", "false");
  openNamed();
}

addEventListener("hashchange", openNamed);
try {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
  show(await answer.json());
} catch (trouble) {
  target.replaceChildren(element("p", { role: "alert" },
    `The OpenAPI document could not be read: ${trouble.message}. Reload the page to try again.`));
}

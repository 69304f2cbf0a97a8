// Tells the shop what happened: in small batches, without delaying a page, never twice.

import { identity, randomId } from "./visit.js";

const MOST_AT_ONCE = 100;
const WAIT_MS = 1500;
const AT_ONCE = new Set(["add-to-cart", "remove-from-cart", "purchase"]);
let waiting = [];
let timer = 0;

/** Each event carries its own id, so that sending it again is harmless. */
export function record(event) {
  waiting.push({ event_id: randomId(), timestamp: new Date().toISOString(), ...event });
  clearTimeout(timer);
  timer = setTimeout(send, AT_ONCE.has(event.event_type) ? 0 : WAIT_MS);
}

function taken() {
  const events = waiting.slice(0, MOST_AT_ONCE);
  waiting = waiting.slice(MOST_AT_ONCE);
  return events;
}

function batchOf(events) {
  const { session_id, consent } = identity();
  if (!consent) return JSON.stringify({ events });
  return JSON.stringify({ events: events.map((event) => ({ ...event, session_id })), consent });
}

async function send() {
  const events = taken();
  if (!events.length) return;
  try {
    const response = await fetch("/v1/events", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: batchOf(events),
      keepalive: true,
    });
    if (response.status >= 500 || response.status === 429) keep(events);
  } catch {
    keep(events);
  }
}

/** For the next batch; bounded, because a shop that is away must not fill the page's memory. */
function keep(events) {
  waiting = [...events, ...waiting].slice(0, MOST_AT_ONCE);
}

function sendOnLeaving() {
  const events = taken();
  if (events.length && !navigator.sendBeacon("/v1/events", batchOf(events))) keep(events);
}

addEventListener("pagehide", sendOnLeaving);
document.addEventListener("visibilitychange", () => document.hidden && sendOnLeaving());

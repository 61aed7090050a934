// As much of a browser as the tracker uses, with a clock that moves only when told.
globalThis.window = globalThis;
const clock = { now: 1767225600000, timers: new Map(), next: 1 };
Date.now = () => clock.now;
globalThis.setTimeout = (run, wait) => { clock.timers.set(clock.next, { run, at: clock.now + (wait || 0) }); return clock.next++; };
globalThis.clearTimeout = (id) => clock.timers.delete(id);
function due(until) {
  const found = [...clock.timers].filter(([, timer]) => timer.at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0]);
  if (!found.length) { clock.now = until; return false; }
  const [id, timer] = found[0];
  clock.timers.delete(id);
  clock.now = Math.max(clock.now, timer.at);
  timer.run();
  return true;
}

class Element {
  constructor(dataset, children = []) {
    Object.assign(this, { dataset, children, parent: null });
    for (const child of children) child.parent = this;
  }
  matches(selector) {
    return selector.split(",").some((one) => one.trim().split(" ").reverse().every((part, place) => {
      const name = part.slice(6, -1).replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
      if (place === 0) return name in this.dataset;
      return this.parent && this.parent.closest(part);
    }));
  }
  closest(selector) { return this.matches(selector) ? this : this.parent && this.parent.closest(selector); }
  querySelectorAll(selector) {
    return this.children.flatMap((child) => [...(child.matches(selector) ? [child] : []), ...child.querySelectorAll(selector)]);
  }
  add(child) { child.parent = this; this.children.push(child); browser.mutated.forEach((run) => run([])); }
}

const browser = { listeners: {}, mutated: [], watchers: [], fetches: [], beacons: [], answers: [], beacon: true, warnings: [] };
const listen = (name, run) => (browser.listeners[name] = browser.listeners[name] || []).push(run);
const fire = (name, event = {}) => (browser.listeners[name] || []).forEach((run) => run(event));
globalThis.addEventListener = listen;
globalThis.console = { warn: (text) => browser.warnings.push(text) };
globalThis.navigator = {
  onLine: true,
  sendBeacon: (address, body) => { if (browser.beacon) browser.beacons.push({ address, body }); return browser.beacon; },
};
let made = 0;
globalThis.crypto = { randomUUID: () => `uuid-${++made}` };
globalThis.URL = class { constructor(text) { this.origin = text.split("/").slice(0, 3).join("/"); } };
globalThis.document = Object.assign(new Element({}), { addEventListener: listen, visibilityState: "visible", currentScript: null });
globalThis.MutationObserver = class { constructor(run) { this.run = run; } observe() { browser.mutated.push(this.run); } };
globalThis.IntersectionObserver = class {
  constructor(run) { Object.assign(this, { run, watched: new Set() }); browser.watchers.push(this); }
  observe(element) { this.watched.add(element); }
  unobserve(element) { this.watched.delete(element); }
  disconnect() { this.watched.clear(); }
};
globalThis.fetch = async (address, request) => {
  browser.fetches.push({ address, ...request });
  const answer = browser.answers.length ? browser.answers.shift() : 200;
  if (answer === "offline") throw new TypeError("offline");
  const [status, after] = Array.isArray(answer) ? answer : [answer, null];
  return { status, ok: status < 300, headers: { get: () => after } };
};
const storage = {};
globalThis.localStorage = storage;

function show(...items) {
  for (const watcher of browser.watchers) {
    const shown = [...watcher.watched].filter((element) => items.includes(element.dataset.mutuaItem));
    if (shown.length) watcher.run(shown.map((target) => ({ target, isIntersecting: true })));
  }
}
const find = (name, value) => document.querySelectorAll(`[data-${name.replace(/[A-Z]/g, (letter) => "-" + letter.toLowerCase())}]`)
  .find((element) => element.dataset[name] === value);

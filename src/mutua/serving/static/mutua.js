// Mutua's tracker: what visitors look at, click, buy and see; docs/tracker.md says how to use it.
(() => {
  const BATCH = 20, PAUSE = 2000, MOST = 500, FRESH = 10000;
  const tag = document.currentScript, given = tag.dataset;
  const address = (given.endpoint || new URL(tag.src).origin).replace(/\/+$/, "") + "/v1/events";
  let user = given.user, page = given.item, busy = false, failed = 0, timer = 0;
  let seen = new Map(), watched = new WeakSet();

  let shelf = {};
  try { shelf = localStorage || shelf; } catch { /* forbidden: this page's memory must do */ }
  const get = (name) => shelf["mutua." + name];
  const drop = (name) => delete shelf["mutua." + name];
  const keep = (name, text) => {
    try { shelf["mutua." + name] = text; } catch { shelf = { ...shelf, ["mutua." + name]: text }; }
    return text;
  };
  const uuid = () => crypto.randomUUID?.() || [...crypto.getRandomValues(new Uint8Array(16))].join("-");
  const allowed = () => {
    const word = get("consent");
    return word ? word === "granted" : given.consent !== "required" && !navigator.globalPrivacyControl;
  };
  const anonymous = () => get("anonymous") || keep("anonymous", "anon-" + uuid());

  // Read anew each time: other tabs of the site share it.
  const queue = () => {
    try { return [...JSON.parse(get("queue"))]; } catch { return []; }
  };
  const save = (events) => events.length ? keep("queue", JSON.stringify(events.slice(-MOST))) : drop("queue");
  const remove = (sent) => save(queue().filter(({ id }) => !sent.some((event) => event.id === id)));
  const body = (events, more) => JSON.stringify({ ...more, events: events.map(({ at, ...event }) =>
    // The server's clock is the better one, but for what waited.
    Date.now() - at > FRESH ? { ...event, time: new Date(at).toISOString() } : event) });

  const later = (wait) => { timer = timer || setTimeout(flush, wait); };
  const put = (event) => {
    if (!allowed()) return;
    const events = [...queue(), { id: uuid(), user: user || anonymous(), at: Date.now(), ...event }];
    save(events);
    if (events.length >= BATCH && !failed) flush(); else later(PAUSE);
  };

  async function flush() {
    clearTimeout(timer);
    timer = 0;
    const events = allowed() && !busy ? queue().slice(0, BATCH) : [];
    if (!events.length) return;
    busy = true;
    let wait = 0;
    try {
      const headers = { "content-type": "application/json" };
      if (given.key) headers.authorization = "Bearer " + given.key;
      const answer = await fetch(address, { method: "POST", headers, body: body(events), credentials: "omit" });
      if (answer.status === 429 || answer.status >= 500) wait = 1000 * answer.headers.get("retry-after") || 1000;
      else remove(events);
      if (!answer.ok) console.warn("mutua: status " + answer.status);
    } catch {
      wait = 1000;
    }
    busy = false;
    failed = wait && failed + 1;
    if (queue().length) later(wait && Math.max(wait, Math.min(6e4, 500 * 2 ** failed) * (0.5 + Math.random() / 2)));
  }

  function leave() {
    report();
    if (!allowed() || !navigator.onLine) return;
    let events;
    // A beacon has no headers of ours: the key goes in the body.
    while ((events = queue().slice(0, 50)).length && navigator.sendBeacon(address, body(events, { key: given.key }))) {
      remove(events);
    }
  }

  const SLATE = "[data-mutua-slate]", ITEM = "[data-mutua-item]";
  const report = () => {
    for (const [list, items] of seen) {
      const order = new Set([...list.querySelectorAll(ITEM)].map((element) => element.dataset.mutuaItem));
      const { mutuaSlate: slate, mutuaSurface: surface } = list.dataset;
      put({ kind: "impression", items: [...order].filter((item) => items.has(item)), slate, surface });
    }
    seen = new Map();
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      const list = isIntersecting && target.closest(SLATE);
      if (!list) continue;
      watcher.unobserve(target);
      if (!seen.size) setTimeout(report, PAUSE / 2);
      seen.set(list, (seen.get(list) || new Set()).add(target.dataset.mutuaItem));
    }
  }, { threshold: 0.5 });
  const scan = () => {
    for (const element of allowed() ? document.querySelectorAll(`${SLATE} ${ITEM}`) : []) {
      if (!watched.has(element)) watcher.observe(element);
      watched.add(element);
    }
  };
  const track = (type, item, more) => put({ type, item, ...more });
  const begin = () => {
    if (!allowed()) return;
    if (page) track("view", page);
    page = "";
    scan();
    if (queue().length) later(PAUSE);
  };

  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && leave());
  addEventListener("online", flush);
  document.addEventListener("click", ({ target }) => {
    const element = target.closest?.(ITEM);
    if (!element) return;
    const { mutuaEvent: type, mutuaValue: value } = target.closest(`[data-mutua-event], ${ITEM}`).dataset;
    const slate = element.closest(SLATE)?.dataset.mutuaSlate;
    track(type || "click", element.dataset.mutuaItem, { slate, value: value && Number(value) });
  }, true);
  new MutationObserver(scan).observe(document, { childList: true, subtree: true });

  window.mutua = {
    track, flush,
    impression: (items, more) => put({ kind: "impression", items, ...more }),
    identify: (id) => { user = id; },
    user: () => user || (allowed() ? anonymous() : null),
    consent(granted) {
      if (granted) return begin(keep("consent", "granted"));
      ["queue", "anonymous", "consent"].forEach(drop);
      watcher.disconnect();
      clearTimeout(timer);
      [timer, seen, watched] = [0, new Map(), new WeakSet()];
      if (given.consent !== "required") keep("consent", "refused");
    },
  };
  for (const type of ["view", "click", "cart", "purchase"]) mutua[type] = (item, more) => track(type, item, more);
  begin();
})();

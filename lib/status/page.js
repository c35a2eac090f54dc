// @ts-check
/// <reference lib="dom" />
/**
 * Asks /status.json every two seconds, and shows it: elements, tables, numbers, addresses to copy, graphs. Sets their text,
 * and never hands text to the parser, because names come from the user's files. Elements are kept and changed, so that
 * focus, selection and the place of a screen reader survive an update.
 *
 * @typedef {import("./snapshot.ts").Snapshot} Snapshot
 * @typedef {import("./snapshot.ts").ApplicationStatus} ApplicationStatus
 * @typedef {import("./snapshot.ts").IdentityFacts} IdentityFacts
 * @typedef {import("./snapshot.ts").Tally} Tally
 * @typedef {import("./snapshot.ts").Outcome} Outcome
 * @typedef {ReturnType<typeof createApplication>} View
 * @typedef {ReturnType<typeof tableOf>} Table
 * @typedef {{ time: number, sent: number, received: number }} Sample
 * @typedef {readonly (readonly [label: string, text: string])[]} Numbers
 */

const SPAN = 300; // Seconds that a graph shows.
const WIDTH = 300; // Of the graph's template.
const HEIGHT = 60;
/** @type {WeakMap<Element, Map<string, any>>} */
const children = new WeakMap(); // What sync() made, by parent.

const $ = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {(Node | string)[]} content
 */
function make(tag, className = "", ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

/** @param {Node | null | undefined} node @param {string} text */
function setText(node, text) {
  if (node && node.textContent !== text) node.textContent = text;
}

/** Options of the command line are not broken in two at their hyphens. @param {Element | undefined} node @param {string} text */
function setProse(node, text) {
  if (!node || node.textContent === text) return;
  const parts = text.split(/(--[a-z-]+)/).map((part, i) => i % 2 ? make("span", "option", part) : part);
  node.replaceChildren(...(text ? [make("span", "", ...parts)] : []));
}

/**
 * Makes, changes and removes elements, so that there is one for each item, in the same order.
 *
 * @template T
 * @template {{ node: Element }} V
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => V} create
 * @param {(view: V, item: T) => void} update
 */
function sync(parent, items, keyOf, create, update) {
  /** @type {Map<string, V>} */
  const old = children.get(parent) ?? new Map();
  const now = new Map();
  for (const item of items) {
    let key = keyOf(item);
    while (now.has(key)) key += "'";
    now.set(key, item);
  }
  for (const [key, view] of old) {
    if (!now.has(key)) view.node.remove();
  }
  let place = parent.firstElementChild;
  for (const [key, item] of now) {
    const view = old.get(key) ?? create(item);
    now.set(key, view);
    if (view.node === place) place = place.nextElementSibling;
    else parent.insertBefore(view.node, place);
    update(view, item);
  }
  children.set(parent, now);
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number} value */
function bytes(value) {
  let i = 0;
  for (; value >= 999.5 && i < UNITS.length - 1; i++) value /= 1000;
  return (i === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)) + " " + UNITS[i];
}
const count = (/** @type {number} */ number) => number.toLocaleString("en");

/** @param {number} seconds */
function duration(seconds) {
  const s = Math.floor(seconds);
  /** @param {number} a @param {string} unit @param {number} b @param {string} small */
  const pair = (a, unit, b, small) => a + " " + unit + (b ? " " + b + " " + small : "");
  if (s < 60) return s + " s";
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return pair(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min");
  return pair(Math.floor(s / 86400), "d", Math.floor(s % 86400 / 3600), "h");
}

/** An address with a button that copies it. @param {string} text */
function copied(text) {
  const code = make("span", "address", text);
  const word = make("span", "", "Copy");
  const button = make("button", "", word, make("span", "unseen", " " + text));
  button.type = "button";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let back;
  /** @param {string} short @param {string} long */
  const report = (short, long) => {
    setText(word, short);
    setText($("said"), long);
    clearTimeout(back);
    back = setTimeout(() => {
      setText(word, "Copy");
      setText($("said"), "");
    }, 3000);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      report("Copied", "Copied " + text);
    } catch {
      // The browser does not let pages copy: what is selected can be copied by hand.
      getSelection()?.selectAllChildren(code);
      report("Selected", "Selected " + text + "; copy it with the keyboard");
    }
  });
  return { node: make("div", "copied", code, button) };
}
/** @param {Element} parent @param {readonly string[]} texts */
const setCopied = (parent, texts) => sync(parent, texts, (text) => text, copied, () => {});

/**
 * A table under a heading, or the words that there is nothing to show.
 *
 * @param {string} title
 * @param {readonly string[]} columns
 * @param {string} nothing
 * @param {"h2" | "h3"} [level]
 */
function tableOf(title, columns, nothing, level = "h3") {
  const heads = columns.map((column) => {
    const head = make("th", "", column);
    head.scope = "col";
    return head;
  });
  const body = make("tbody");
  const headRow = make("tr", "", ...heads);
  const thead = make("thead", "", headRow);
  const table = make("table", "", thead, body);
  table.setAttribute("aria-label", title);
  // Said aloud, because rows that are blocks in narrow windows are no rows to some browsers.
  for (const node of [thead, body]) node.role = "rowgroup";
  for (const head of heads) head.role = "columnheader";
  table.role = "table";
  headRow.role = "row";
  const none = make("p", "none", nothing);
  return { node: make("div", "", make(level, "", title), none, table), columns, table, body, none };
}

/**
 * @template T
 * @param {Table} view
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(cells: HTMLElement[], item: T) => void} fillRow
 */
function fillTable(view, items, keyOf, fillRow) {
  view.none.hidden = items.length > 0;
  view.table.hidden = items.length === 0;
  sync(view.body, items, keyOf, () => {
    const cells = view.columns.map((column, i) => {
      const cell = make(i ? "td" : "th");
      cell.role = i ? "cell" : "rowheader";
      if (i) cell.dataset["label"] = column;
      else cell.scope = "row";
      return cell;
    });
    const node = make("tr", "", ...cells);
    node.role = "row";
    return { node, cells };
  }, ({ cells }, item) => fillRow(cells, item));
}

/** @param {string} kind @param {string} what */
function graphOf(kind, what) {
  const { content } = /** @type {HTMLTemplateElement} */ ($("graph"));
  const node = /** @type {HTMLElement} */ (content.firstElementChild?.cloneNode(true));
  const find = (/** @type {string} */ selector) => node.querySelector(selector);
  node.className = kind;
  setText(find(".what"), what);
  return {
    node,
    what,
    now: find(".now"),
    peak: find(".peak"),
    begin: find(".begin"),
    svg: find("svg"),
    area: find(".area"),
    line: find(".line"),
  };
}

/**
 * @param {ReturnType<typeof graphOf>} graph
 * @param {readonly Sample[]} samples
 * @param {"sent" | "received"} key
 */
function draw(graph, samples, key) {
  const end = samples.at(-1)?.time ?? 0;
  const points = samples.slice(1).map((sample, i) => {
    const before = samples[i] ?? sample;
    return { time: sample.time, rate: Math.max(0, (sample[key] - before[key]) / (sample.time - before.time)) };
  });
  const peak = points.reduce((most, { rate }) => Math.max(most, rate), 0);
  const now = points.at(-1)?.rate ?? 0;
  const x = (/** @type {number} */ time) => (WIDTH - (end - time) / SPAN * WIDTH).toFixed(1);
  const y = (/** @type {number} */ rate) => (HEIGHT - 1 - rate / (peak || 1) * (HEIGHT - 4)).toFixed(1);
  const line = points.map(({ time, rate }) => x(time) + " " + y(rate)).join("L");
  const [first] = points;
  graph.line?.setAttribute("d", first ? "M" + line : "");
  const bottom = " " + HEIGHT;
  graph.area?.setAttribute("d", first ? "M" + x(first.time) + bottom + "L" + line + "L" + WIDTH + bottom + "Z" : "");
  setText(graph.now, bytes(now) + "/s");
  setText(graph.peak, "peak " + bytes(peak) + "/s");
  // What was before this page was opened is not known.
  const isWhole = end - (samples[0]?.time ?? end) >= SPAN;
  setText(graph.begin, isWhole ? "5 min ago" : "since the page was opened");
  const words = " " + (isWhole ? "in the last 5 minutes" : "since the page was opened") + ": now " + bytes(now) +
    " per second, at most " + bytes(peak) + " per second";
  graph.svg?.setAttribute("aria-label", graph.what + words);
}

/** @param {Element} list @param {Numbers} numbers */
function setNumbers(list, numbers) {
  sync(list, numbers, ([label]) => label, ([label]) => {
    const value = make("dd");
    return { node: make("div", "", make("dt", "", label), value), value };
  }, ({ value }, [, text]) => setText(value, text));
}

/**
 * What an option switches on: numbers under a heading, and a table of what went no further, where there is one.
 *
 * @param {string} title
 * @param {Table} [table]
 */
function partOf(title, table) {
  const heading = make("h3");
  const numbers = make("dl", "numbers");
  setProse(heading, title);
  return { node: make("div", "", heading, numbers, ...(table ? [table.node] : [])), numbers, table };
}

/**
 * Shows a part, or hides it where its option is not given.
 *
 * @template T
 * @param {ReturnType<typeof partOf>} part
 * @param {T | undefined} status
 * @param {(status: T) => Numbers} numbersOf
 * @param {readonly Tally[]} [tallies]
 */
function setPart({ node, numbers, table }, status, numbersOf, tallies = []) {
  node.hidden = status === undefined;
  setNumbers(numbers, status === undefined ? [] : numbersOf(status));
  if (!table) return;
  table.node.hidden = tallies.length === 0;
  fillTally(table, tallies);
}

/** @param {string} title */
const tallyOf = (title) => tableOf(title, ["Reason", "Times", "What it means", "What to do"], "");

/** @param {Table} table @param {readonly Tally[]} tallies */
function fillTally(table, tallies) {
  fillTable(table, tallies, ({ reason }) => reason, (cells, { reason, count: times, message, hint }) => {
    [reason, count(times), message, hint ?? ""].forEach((text, i) => setProse(cells[i], text));
  });
}

const PERIOD = 2000; // Milliseconds between two questions.
const PATIENCE = 5000; // Milliseconds for an answer.
/** @type {Record<IdentityFacts["state"], [kind: string, now: string, before: string]>} */
const STATES = {
  ready: ["good", "Ready", "Was ready"],
  building: ["wait", "Building tunnels", "Was building tunnels"],
  lost: ["bad", "Lost", "Was lost"],
};
/** @type {Snapshot | undefined} */
let last; // The last status, and when it came.
let lastAt = 0;
let stale = false;
let asking = false;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {HTMLElement} node @param {[kind: string, now: string, before: string]} state */
function setBadge(node, [kind, now, before]) {
  node.className = "badge " + (stale ? "" : kind);
  setText(node, stale ? before : now);
}

let ids = 0;
function createApplication() {
  const name = make("h2");
  name.id = "application" + ids++;
  const badge = make("p", "badge");
  const reason = make("div", "note");
  const listen = make("dd");
  const sam = make("dd");
  const facts = make("dl", "facts");
  facts.append(make("dt", "", "SOCKS listens on"), listen, make("dt", "", "Router's SAM bridge"), sam);
  const numbers = make("dl", "numbers");
  const sent = graphOf("sent", "Sent");
  const received = graphOf("received", "Received");
  const identities = tableOf("Identities", ["Identity", "State", "Age", "Clients", "Address in I2P"], "None yet.");
  const callers = partOf("Callers from I2P (--forward)", tallyOf("Callers turned away"));
  const bind = partOf("Clients that wait for a caller (--bind)");
  const udp = partOf("Datagrams (--udp)", tallyOf("Datagrams dropped"));
  const outcomes = tableOf("Last outcomes", OUTCOME_COLUMNS, "Nothing has failed, been refused or blocked so far.");
  const refusals = tallyOf("Not connected, by reason");
  const leaks = tableOf("Leaks", ["Kind", "Times", "What it gives away", "What to do"], "");
  const head = make("div", "head", name, badge);
  const traffic = [make("h3", "", "Traffic"), numbers, make("div", "graphs", sent.node, received.node)];
  const parts = [callers, bind, udp, identities, outcomes, refusals, leaks].map((part) => part.node);
  const node = make("section", "", head, reason, facts, ...traffic, ...parts);
  node.setAttribute("aria-labelledby", name.id);
  /** @type {Sample[]} */
  const samples = [];
  const fixed = { node, name, badge, reason, listen, sam, numbers, sent, received, samples };
  return { ...fixed, callers, bind, udp, identities, outcomes, refusals, leaks };
}

const isBuilding = (/** @type {ApplicationStatus} */ app) => app.identities[0]?.state === "building";

/** @param {ApplicationStatus} app @returns {[kind: string, now: string, before: string]} */
function stateOf(app) {
  return app.ready ? STATES.ready : [isBuilding(app) ? "wait" : "bad", "Not ready", "Was not ready"];
}

/** Why it is not ready, and what to do, a line each. @param {ApplicationStatus} app @param {boolean} building */
function reasonOf(app, building) {
  const reason = app.reason ?? (building ? "The router is building tunnels" : "No reason was given");
  const advice = building ? ["Clients wait meanwhile"] : app.advice;
  return [reason, ...advice].map((line) => line.replace(/[.]$/, "") + ".");
}

/** @param {View} view @param {ApplicationStatus} app */
function showApplication(view, app) {
  setText(view.name, app.name);
  const building = isBuilding(app);
  setBadge(view.badge, stateOf(app));
  view.reason.hidden = app.ready;
  view.reason.className = "note " + (building ? "wait" : "bad");
  sync(view.reason, app.ready ? [] : reasonOf(app, building), String, () => ({ node: make("p") }), ({ node }, text) => {
    setProse(node, text);
  });
  setCopied(view.listen, app.listen);
  setText(view.sam, app.sam + (app.samVersion ? ", version " + app.samVersion : ", not reached"));
  setNumbers(view.numbers, [
    ["Connections", count(app.connections)],
    ["Streams", count(app.streams)],
    ["Streams since the start", count(app.connected)],
    ["Sent", bytes(app.bytesSent)],
    ["Received", bytes(app.bytesReceived)],
    ["Kept for slow readers", bytes(app.bytesKept)],
  ]);
  showSwitched(view, app);
  showIdentities(view.identities, app.identities);
  showOutcomes(view.outcomes, app.outcomes);
  fillTally(view.refusals, app.refusals);
  view.refusals.node.hidden = app.refusals.length === 0;
  view.leaks.node.hidden = app.leaks.length === 0;
  fillTable(view.leaks, app.leaks, ({ kind }) => kind, (cells, { kind, count: times, story, fix }) => {
    [kind, count(times), story, fix].forEach((text, i) => setProse(cells[i], text));
  });
}

/** Shows what is there only where an option has switched it on. @param {View} view @param {ApplicationStatus} app */
function showSwitched(view, app) {
  setPart(view.callers, app.callers, (callers) => [
    ["Served now", count(callers.open)],
    ["Came so far", count(callers.total)],
    ["Reached a service", count(callers.connected)],
    .../** @type {Numbers} */ (callers.idle ? [["Closed for silence", count(callers.idle)]] : []),
    ["Sent to callers", bytes(callers.bytesSent)],
    ["Received from callers", bytes(callers.bytesReceived)],
    .../** @type {Numbers} */ (callers.acceptFailures
      ? [["Times the router would not wait, see the log", count(callers.acceptFailures)]]
      : []),
  ], app.callers?.refused);
  setPart(view.bind, app.bind, (bind) => [
    ["Wait now", count(bind.waiting)],
    ["Waited so far", count(bind.waited)],
    ["Callers that came", count(bind.connected)],
    ["Callers not wanted", count(bind.denied)],
  ]);
  setPart(view.udp, app.udp, (udp) => [
    ["Associations", count(udp.associations)],
    ["Associations so far", count(udp.granted)],
    ["Datagrams sent", count(udp.sent)],
    ["Datagrams received", count(udp.received)],
  ], app.udp?.dropped);
}

/** @param {Table} view @param {readonly IdentityFacts[]} identities */
function showIdentities(view, identities) {
  fillTable(view, identities, ({ label }) => label, (cells, identity) => {
    const [name, state, age, clients, address] = cells;
    if (!name || !state || !age || !clients || !address) return;
    if (!state.firstChild) state.append(make("span", "badge"), make("p"));
    const [badge, reason] = /** @type {[HTMLElement, HTMLElement]} */ ([...state.children]);
    setText(name, identity.label.slice(0, 1).toUpperCase() + identity.label.slice(1));
    setBadge(badge, STATES[identity.state]);
    setText(reason, identity.reason ?? "");
    reason.hidden = !identity.reason;
    age.className = "number";
    setText(age, duration(identity.ageSeconds));
    setText(clients, count(identity.clients));
    setCopied(address, identity.b32 ? [identity.b32] : []);
  });
}

const OUTCOME_COLUMNS = ["Last", "Times", "What happened", "Whose", "What to do"];

/** @param {Table} view @param {readonly Outcome[]} outcomes */
function showOutcomes(view, outcomes) {
  /** @param {Outcome} outcome */
  const keyOf = ({ reason, message, identity, destination }) => [reason, message, identity, destination].join();
  fillTable(view, outcomes, keyOf, (cells, { time, count: times, outcome, message, identity, destination, hint }) => {
    const what = outcome + ": " + message + (destination ? " (" + destination + ")" : "");
    const at = new Date(time).toLocaleTimeString("en-GB");
    [at, count(times), what, identity ?? "no identity yet", hint ?? ""].forEach((text, i) => setProse(cells[i], text));
  });
}

const OVERVIEW_COLUMNS = ["Application", "State", "SOCKS", "Clients", "Streams", "Sent", "Received"];

/** What all applications do at a glance, where there are several. @param {readonly ApplicationStatus[]} applications */
function showOverview(applications) {
  const shown = applications.length > 1 ? [applications] : [];
  sync($("overview"), shown, () => "all", () => {
    const table = tableOf("Applications", OVERVIEW_COLUMNS, "", "h2");
    return { node: make("div", "card", table.node), table };
  }, ({ table }, apps) => {
    fillTable(table, apps, ({ name, listen }) => name + listen, (cells, app) => {
      const [name, state, ...others] = cells;
      if (!name || !state) return;
      if (!state.firstChild) state.append(make("span", "badge"));
      setText(name, app.name);
      setBadge(/** @type {HTMLElement} */ (state.firstElementChild), stateOf(app));
      const texts = [
        app.listen.join(", "),
        count(app.connections),
        count(app.streams),
        bytes(app.bytesSent),
        bytes(app.bytesReceived),
      ];
      others.forEach((cell, i) => setText(cell, texts[i] ?? ""));
    });
  });
}

/** @param {View} view @param {ApplicationStatus} app @param {number} time */
function measure({ samples, sent, received }, app, time) {
  const before = samples.at(-1);
  if (before && time <= before.time) return;
  samples.push({ time, sent: app.bytesSent, received: app.bytesReceived });
  // One sample from before the span stays, so that the line begins at its edge.
  while ((samples[1]?.time ?? time) < time - SPAN) samples.shift();
  draw(sent, samples, "sent");
  draw(received, samples, "received");
}

/** @param {readonly ApplicationStatus[]} applications @returns {[kind: string, words: string]} */
function summary(applications) {
  const waiting = applications.filter((app) => !app.ready);
  if (applications.length === 0) return ["wait", "no application"];
  if (waiting.length === 0) return ["good", "ready"];
  if (waiting.length === applications.length) return ["bad", "not ready"];
  return ["bad", waiting.length + " of " + applications.length + " not ready"];
}

/** @param {Snapshot} status */
function show(status) {
  const isOther = last && last.startedAt !== status.startedAt;
  stale = false;
  // After a restart the counters begin at 0, and the graphs with them.
  if (isOther) sync($("applications"), [], String, createApplication, () => {});
  sync($("applications"), status.applications, ({ name }) => name, createApplication, (view, app) => {
    showApplication(view, app);
    measure(view, app, status.uptimeSeconds);
  });
  showOverview(status.applications);
  document.body.classList.remove("is-stale");
  $("stale").hidden = true;
  last = status;
  lastAt = Date.now();
  const [kind, words] = summary(status.applications);
  $("state").className = "badge " + kind;
  setText($("state"), words.slice(0, 1).toUpperCase() + words.slice(1));
  setText($("since"), "Version " + status.version + ", up for " + duration(status.uptimeSeconds));
  setTitle(words);
}

/** @param {string} words */
function showStale(words) {
  if (!stale) {
    stale = true;
    document.body.classList.add("is-stale");
    $("state").className = "badge bad";
    setText($("state"), "No answer");
    setTitle("no answer");
    // Nothing may go on saying that it is ready.
    if (last) showOverview(last.applications);
    if (last) sync($("applications"), last.applications, ({ name }) => name, createApplication, showApplication);
  }
  $("stale").hidden = false;
  setText($("alert"), words);
  const age = lastAt === 0 ? "Is it running?" : "What is below is " + duration((Date.now() - lastAt) / 1000) + " old.";
  setText($("ago"), age + " This page asks again every two seconds.");
}

/** @param {string} words */
function setTitle(words) {
  const title = words + " - i2p-socks";
  if (document.title !== title) document.title = title;
}

async function ask() {
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  let trouble = "i2p-socks does not answer any more";
  try {
    const answer = await fetch("/status.json", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) trouble = "i2p-socks answers with the error " + answer.status;
    else {
      trouble = "i2p-socks gives an answer that this page does not understand";
      show(await answer.json());
      trouble = "";
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") trouble = "i2p-socks does not answer any more";
  }
  asking = false;
  timer = setTimeout(ask, PERIOD);
  if (trouble) showStale(trouble);
}

// Browsers slow the timers of pages that nobody sees: one that is looked at again asks at once.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) ask();
});
ask();

/**
 * The script of the status page. It makes elements and sets their text, and never hands text to the parser: names come
 * from the user's files. What stands already is kept and changed, so that focus, selection and the place of a screen
 * reader survive an update.
 */
export const PAGE_SCRIPT = `
"use strict";
(() => {
const PERIOD = 2000; // Milliseconds between two questions.
const PATIENCE = 5000; // Milliseconds for an answer.
const SPAN = 300; // Seconds that a graph shows.
const WIDTH = 300, HEIGHT = 60; // Of the graph's template.
const STATES = {
  ready: ["good", "Ready", "Was ready"],
  building: ["wait", "Building tunnels", "Was building tunnels"],
  lost: ["bad", "Lost", "Was lost"],
};
const children = new WeakMap(); // What sync() made, by parent.
let last; // The last status, and when it came.
let lastAt = 0;
let stale = false;
let asking = false;
let timer;

const $ = (id) => document.getElementById(id);

function make(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Options of the command line are not broken in two at their hyphens.
function setProse(node, text) {
  if (node.textContent === text) return;
  const parts = text.split(/(--[a-z-]+)/).map((part, i) => i % 2 ? make("span", "option", part) : part);
  node.replaceChildren(...(text ? [make("span", "", ...parts)] : []));
}

function setBadge(node, [kind, now, before]) {
  node.className = "badge " + (stale ? "" : kind);
  setText(node, stale ? before : now);
}

function sync(parent, items, keyOf, create, update) {
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

function scaled(value, units, step) {
  let i = 0;
  for (; value >= step * 0.9995 && i < units.length - 1; i++) value /= step;
  return (i === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)) + " " + units[i];
}
const bytes = (count) => scaled(count, ["B", "kB", "MB", "GB", "TB"], 1000);
const count = (number) => Number(number).toLocaleString("en");

function duration(seconds) {
  const s = Math.floor(seconds);
  const pair = (a, unit, b, small) => a + " " + unit + (b ? " " + b + " " + small : "");
  if (s < 60) return s + " s";
  if (s < 3600) return pair(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return pair(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min");
  return pair(Math.floor(s / 86400), "d", Math.floor(s % 86400 / 3600), "h");
}

// An address with its button; made anew only if the address is another one.
function copied(text) {
  const code = make("span", "address", text);
  const word = make("span", "", "Copy");
  const button = make("button", "", word, make("span", "unseen", " " + text));
  button.type = "button";
  let back;
  const tell = (short, long) => {
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
      tell("Copied", "Copied " + text);
    } catch {
      // The browser does not let pages copy: what is selected can be copied by hand.
      getSelection().selectAllChildren(code);
      tell("Selected", "Selected " + text + "; copy it with the keyboard");
    }
  });
  return { node: make("div", "copied", code, button) };
}
const setCopied = (parent, texts) => sync(parent, texts, (text) => text, copied, () => {});

// A table under a heading, or the words that there is nothing to show.
function tableOf(title, columns, nothing) {
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
  for (const [node, role] of [[table, "table"], [thead, "rowgroup"], [body, "rowgroup"], [headRow, "row"]]) {
    node.setAttribute("role", role);
  }
  for (const head of heads) head.setAttribute("role", "columnheader");
  const none = make("p", "none", nothing);
  return { node: make("div", "", make("h3", "", title), none, table), columns, table, body, none };
}

function fillTable(view, items, keyOf, fillRow) {
  view.none.hidden = items.length > 0;
  view.table.hidden = items.length === 0;
  sync(view.body, items, keyOf, () => {
    const cells = view.columns.map((column, i) => {
      const cell = make(i ? "td" : "th");
      cell.setAttribute("role", i ? "cell" : "rowheader");
      if (i) cell.dataset.label = column;
      else cell.scope = "row";
      return cell;
    });
    const node = make("tr", "", ...cells);
    node.setAttribute("role", "row");
    return { node, cells };
  }, ({ cells }, item) => fillRow(cells, item));
}

function graphOf(kind, what) {
  const node = $("graph").content.firstElementChild.cloneNode(true);
  const find = (selector) => node.querySelector(selector);
  node.className = kind;
  setText(find(".what"), what);
  return {
    node, what, now: find(".now"), peak: find(".peak"), svg: find("svg"), area: find(".area"), line: find(".line"),
  };
}

function draw(graph, samples, rateOf) {
  const end = samples.at(-1).time;
  const points = samples.slice(1).map((sample, i) => ({ time: sample.time, rate: rateOf(samples[i], sample) }));
  const peak = points.reduce((most, { rate }) => Math.max(most, rate), 0);
  const now = points.at(-1)?.rate ?? 0;
  const x = (time) => (WIDTH - (end - time) / SPAN * WIDTH).toFixed(1);
  const y = (rate) => (HEIGHT - 1 - rate / (peak || 1) * (HEIGHT - 4)).toFixed(1);
  const line = points.map(({ time, rate }) => x(time) + " " + y(rate)).join("L");
  graph.line.setAttribute("d", line && "M" + line);
  const bottom = " " + HEIGHT;
  graph.area.setAttribute("d", line && "M" + x(points[0].time) + bottom + "L" + line + "L" + WIDTH + bottom + "Z");
  setText(graph.now, bytes(now) + "/s");
  setText(graph.peak, "peak " + bytes(peak) + "/s");
  graph.svg.setAttribute("aria-label",
    graph.what + " in the last 5 minutes: now " + bytes(now) + " per second, at most " + bytes(peak) + " per second");
}

let ids = 0;
function createApplication() {
  const name = make("h2");
  name.id = "application" + ids++;
  const badge = make("p", "badge");
  const reason = make("p", "note");
  const listen = make("dd"), sam = make("dd");
  const facts = make("dl", "facts");
  facts.append(make("dt", "", "SOCKS listens on"), listen, make("dt", "", "Router's SAM bridge"), sam);
  const numbers = make("dl", "numbers");
  const sent = graphOf("sent", "Sent");
  const received = graphOf("received", "Received");
  const identities = tableOf("Identities", ["Identity", "State", "Age", "Clients", "Address in I2P"], "None yet.");
  const refusals = tableOf("Refused", ["Reason", "Times", "What it means", "What to do"], "Nothing was refused.");
  const leaks = tableOf("Leaks", ["Kind", "Times", "What it gives away", "What to do"], "None was seen.");
  const node = make("section", "", make("div", "head", name, badge), reason, facts, make("h3", "", "Traffic"), numbers,
    make("div", "graphs", sent.node, received.node), identities.node, refusals.node, leaks.node);
  node.setAttribute("aria-labelledby", name.id);
  return { node, name, badge, reason, listen, sam, numbers, sent, received, identities, refusals, leaks, samples: [] };
}

function reasonOf(app, building) {
  return (app.reason ?? (building ? "The router is building tunnels" : "No reason was given")).replace(/[.]$/, "");
}

function showApplication(view, app) {
  setText(view.name, app.name);
  const building = app.identities.some((identity) => identity.state === "building");
  setBadge(view.badge, app.ready ? STATES.ready : [building ? "wait" : "bad", "Not ready", "Was not ready"]);
  view.reason.hidden = app.ready;
  view.reason.className = "note " + (building ? "wait" : "bad");
  setText(view.reason, app.ready ? "" : reasonOf(app, building) +
    (building ? ". Clients wait meanwhile." : ". In a terminal, i2p-socks check names the first thing that is wrong."));
  setCopied(view.listen, app.listen);
  setText(view.sam, app.sam + (app.samVersion ? ", version " + app.samVersion : ", not reached"));
  const numbers = [
    ["Connections", count(app.connections)], ["Streams", count(app.streams)],
    ["Streams since the start", count(app.connected)],
    ["Sent", bytes(app.bytesSent)], ["Received", bytes(app.bytesReceived)],
  ];
  sync(view.numbers, numbers, ([label]) => label, ([label]) => {
    const value = make("dd");
    return { node: make("div", "", make("dt", "", label), value), value };
  }, ({ value }, [, text]) => setText(value, text));
  showIdentities(view.identities, app.identities);
  fillTable(view.refusals, app.refusals, ({ reason }) => reason, (cells, { reason, count: times, message, hint }) =>
    [reason, count(times), message, hint ?? ""].forEach((text, i) => setProse(cells[i], text)));
  fillTable(view.leaks, app.leaks, ({ kind }) => kind, (cells, { kind, count: times, story, fix }) =>
    [kind, count(times), story, fix].forEach((text, i) => setProse(cells[i], text)));
}

function showIdentities(view, identities) {
  const nameOf = ({ kind, group }) => kind === "base" ? "Main" : "Group " + group;
  fillTable(view, identities, nameOf, (cells, identity) => {
    const [name, state, age, clients, address] = cells;
    setText(name, nameOf(identity));
    if (!state.firstChild) state.append(make("span", "badge"), make("p"));
    setBadge(state.firstChild, STATES[identity.state]);
    setText(state.lastChild, identity.reason ?? "");
    state.lastChild.hidden = !identity.reason;
    age.className = "number";
    setText(age, duration(identity.ageSeconds));
    setText(clients, count(identity.clients));
    setCopied(address, identity.b32 ? [identity.b32] : []);
  });
}

function measure(view, app, time) {
  const { samples } = view;
  const before = samples.at(-1);
  if (before && time <= before.time) return;
  samples.push({ time, sent: app.bytesSent, received: app.bytesReceived });
  while (samples[1]?.time < time - SPAN) samples.shift();
  const rate = (key) => (a, b) => Math.max(0, (b[key] - a[key]) / (b.time - a.time));
  draw(view.sent, samples, rate("sent"));
  draw(view.received, samples, rate("received"));
}

function summary(applications) {
  const waiting = applications.filter((app) => !app.ready);
  if (applications.length === 0) return ["wait", "no application"];
  if (waiting.length === 0) return ["good", "ready"];
  if (waiting.length === applications.length) return ["bad", "not ready"];
  return ["bad", waiting.length + " of " + applications.length + " not ready"];
}

function show(status) {
  const isOther = last && last.startedAt !== status.startedAt;
  stale = false;
  // After a restart the counters begin anew, and the graphs with them.
  if (isOther) sync($("applications"), [], String, createApplication, () => {});
  sync($("applications"), status.applications, ({ name }) => name, createApplication, (view, app) => {
    showApplication(view, app);
    measure(view, app, status.uptimeSeconds);
  });
  document.body.classList.remove("is-stale");
  $("stale").hidden = true;
  last = status;
  lastAt = Date.now();
  const [kind, words] = summary(status.applications);
  $("state").className = "badge " + kind;
  setText($("state"), words[0].toUpperCase() + words.slice(1));
  setText($("since"), "Version " + status.version + ", up for " + duration(status.uptimeSeconds));
  setTitle(words);
}

function showStale(words) {
  if (!stale) {
    stale = true;
    document.body.classList.add("is-stale");
    $("state").className = "badge bad";
    setText($("state"), "No answer");
    setTitle("no answer");
    // Nothing may go on saying that it is ready.
    if (last) sync($("applications"), last.applications, ({ name }) => name, createApplication, showApplication);
  }
  $("stale").hidden = false;
  setText($("alert"), words);
  const age = duration((Date.now() - lastAt) / 1000);
  setText($("ago"), (lastAt === 0 ? "Is it running?" : "What is below is " + age + " old.") +
    " This page asks again every two seconds.");
}

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
    if (error.name === "TimeoutError") trouble = "i2p-socks does not answer any more";
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
})();
`;

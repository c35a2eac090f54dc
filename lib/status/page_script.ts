import { PAGE_ELEMENTS } from "./page_elements.ts";

/** The script of the status page: asks how the program fares, and shows it. */
export const PAGE_SCRIPT: string = `
"use strict";
(() => {
${PAGE_ELEMENTS}
const PERIOD = 2000; // Milliseconds between two questions.
const PATIENCE = 5000; // Milliseconds for an answer.
const STATES = {
  ready: ["good", "Ready", "Was ready"],
  building: ["wait", "Building tunnels", "Was building tunnels"],
  lost: ["bad", "Lost", "Was lost"],
};
let last; // The last status, and when it came.
let lastAt = 0;
let stale = false;
let asking = false;
let timer;

function setBadge(node, [kind, now, before]) {
  node.className = "badge " + (stale ? "" : kind);
  setText(node, stale ? before : now);
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
  const callers = partOf("Callers from I2P (--forward)", tallyOf("Callers turned away", "None was turned away."));
  const bind = partOf("Clients that wait for a caller (--bind)");
  const udp = partOf("Datagrams (--udp)", tallyOf("Datagrams dropped", "None was dropped."));
  const refusals = tallyOf("Refused", "Nothing was refused.");
  const leaks = tableOf("Leaks", ["Kind", "Times", "What it gives away", "What to do"], "None was seen.");
  const node = make("section", "", make("div", "head", name, badge), reason, facts, make("h3", "", "Traffic"), numbers,
    make("div", "graphs", sent.node, received.node), callers.node, bind.node, udp.node, identities.node, refusals.node,
    leaks.node);
  node.setAttribute("aria-labelledby", name.id);
  return {
    node, name, badge, reason, listen, sam, numbers, sent, received, callers, bind, udp, identities, refusals, leaks,
    samples: [],
  };
}

function reasonOf(app, building) {
  return (app.reason ?? (building ? "The router is building tunnels" : "No reason was given")).replace(/[.]$/, "");
}

function showApplication(view, app) {
  setText(view.name, app.name);
  const building = app.identities[0]?.state === "building";
  setBadge(view.badge, app.ready ? STATES.ready : [building ? "wait" : "bad", "Not ready", "Was not ready"]);
  view.reason.hidden = app.ready;
  view.reason.className = "note " + (building ? "wait" : "bad");
  setText(view.reason, app.ready ? "" : reasonOf(app, building) +
    (building ? ". Clients wait meanwhile." : ". In a terminal, i2p-socks check names the first thing that is wrong."));
  setCopied(view.listen, app.listen);
  setText(view.sam, app.sam + (app.samVersion ? ", version " + app.samVersion : ", not reached"));
  setNumbers(view.numbers, [
    ["Connections", count(app.connections)], ["Streams", count(app.streams)],
    ["Streams since the start", count(app.connected)],
    ["Sent", bytes(app.bytesSent)], ["Received", bytes(app.bytesReceived)],
  ]);
  showSwitched(view, app);
  showIdentities(view.identities, app.identities);
  fillTally(view.refusals, app.refusals);
  fillTable(view.leaks, app.leaks, ({ kind }) => kind, (cells, { kind, count: times, story, fix }) =>
    [kind, count(times), story, fix].forEach((text, i) => setProse(cells[i], text)));
}

// What is there only where an option has switched it on.
function showSwitched(view, { callers, bind, udp }) {
  setPart(view.callers, callers, () => [
    ["Served now", count(callers.open)], ["Came so far", count(callers.total)],
    ["Reached a service", count(callers.connected)],
    ["Sent to callers", bytes(callers.bytesSent)], ["Received from callers", bytes(callers.bytesReceived)],
    ...(callers.acceptFailures ? [["Times the router would not wait, see the log", count(callers.acceptFailures)]] : []),
  ]);
  fillTally(view.callers.table, callers?.refused ?? []);
  setPart(view.bind, bind, () => [
    ["Wait now", count(bind.waiting)], ["Waited so far", count(bind.waited)],
    ["Callers that came", count(bind.connected)], ["Callers not wanted", count(bind.denied)],
  ]);
  setPart(view.udp, udp, () => [
    ["Associations", count(udp.associations)], ["Associations so far", count(udp.granted)],
    ["Datagrams sent", count(udp.sent)], ["Datagrams received", count(udp.received)],
  ]);
  fillTally(view.udp.table, udp?.dropped ?? []);
}

function showIdentities(view, identities) {
  const nameOf = ({ kind, group }) =>
    kind === "base" ? "Main" : (kind === "group" ? "Group " : "Datagrams ") + group;
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

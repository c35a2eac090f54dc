/**
 * What the script of the status page makes and keeps: elements, tables, numbers, addresses to copy, graphs. It sets their
 * text, and never hands text to the parser: names come from the user's files. What stands already is kept and changed, so
 * that focus, selection and the place of a screen reader survive an update.
 */
export const PAGE_ELEMENTS = `
const SPAN = 300; // Seconds that a graph shows.
const WIDTH = 300, HEIGHT = 60; // Of the graph's template.
const children = new WeakMap(); // What sync() made, by parent.

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

function setNumbers(list, numbers) {
  sync(list, numbers, ([label]) => label, ([label]) => {
    const value = make("dd");
    return { node: make("div", "", make("dt", "", label), value), value };
  }, ({ value }, [, text]) => setText(value, text));
}

// What an option switches on: numbers under a heading, and a table of what went no further, where there is one.
function partOf(title, table) {
  const heading = make("h3"), numbers = make("dl", "numbers");
  setProse(heading, title);
  return { node: make("div", "", heading, numbers, ...(table ? [table.node] : [])), numbers, table };
}

// Shows a part, or hides it where its option is not given.
function setPart({ node, numbers }, isThere, pairs) {
  node.hidden = !isThere;
  setNumbers(numbers, isThere ? pairs() : []);
}

const tallyOf = (title, nothing) => tableOf(title, ["Reason", "Times", "What it means", "What to do"], nothing);

function fillTally(table, tallies) {
  fillTable(table, tallies, ({ reason }) => reason, (cells, { reason, count: times, message, hint }) =>
    [reason, count(times), message, hint ?? ""].forEach((text, i) => setProse(cells[i], text)));
}
`;

/**
 * The style of the status page. Colours of text keep a contrast of 4.5 to what they stand on, in light and in dark; a
 * test measures it. Narrow windows get tables whose rows are blocks, with the header repeated in each cell.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #fff; --text: #1c2128; --quiet: #57606a; --line: #d8dde3;
  --link: #0a58b0; --sent: #0b6bcb; --received: #7a45c9;
  --good: #0f5a26; --good-ground: #dcf5e3; --wait: #704700; --wait-ground: #fdf0cc;
  --bad: #9a0f24; --bad-ground: #fde7e7;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0f1216; --card: #181c22; --text: #e5e9ee; --quiet: #a0abb7; --line: #303842;
    --link: #80b8ff; --sent: #63aaff; --received: #bf9bff;
    --good: #84e0a0; --good-ground: #15341f; --wait: #f0c569; --wait-ground: #3a2d0c;
    --bad: #ffa39d; --bad-ground: #43181b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.25rem 1rem 2rem; max-width: 72rem; background: var(--ground); color: var(--text);
  font: 0.9375rem/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
[hidden] { display: none !important; }
h1, h2, h3, p, figure, dl, dd { margin: 0; }
h1 { font-size: 1.375rem; line-height: 1.25; }
h2 { font-size: 1.1875rem; line-height: 1.25; }
h3 { margin: 1.5rem 0 0.5rem; font-size: 0.9375rem; }
code, .address { font: 0.875rem/1.4 ui-monospace, monospace; }
a { color: var(--link); }
a:focus-visible, button:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 4px; }
header, .head { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; }
header { margin-bottom: 1.25rem; }
#since { margin-left: auto; color: var(--quiet); }
.badge {
  display: inline-flex; align-items: center; gap: 0.4rem; padding: 0.1rem 0.6rem; border-radius: 1rem;
  background: var(--ground); color: var(--quiet); font-size: 0.875rem; font-weight: 600; border: 1px solid var(--line);
}
.badge::before { content: ""; flex: none; width: 0.55rem; height: 0.55rem; }
.badge::before { border-radius: 50%; background: currentColor; }
.badge, .option { white-space: nowrap; }
.good { background: var(--good-ground); color: var(--good); border-color: transparent; }
.wait { background: var(--wait-ground); color: var(--wait); border-color: transparent; }
.bad { background: var(--bad-ground); color: var(--bad); border-color: transparent; }
.bad::before { border-radius: 1px; }
.wait::before { background: none; border: 2px solid currentColor; }
#stale { margin-bottom: 1rem; padding: 0.9rem 1.1rem; border-radius: 8px; border: 2px solid; }
#stale { background: var(--bad-ground); color: var(--bad); }
#alert { font-size: 1.1875rem; font-weight: 700; }
.is-stale section { filter: grayscale(1); border-style: dashed; }
section {
  margin-bottom: 1rem; padding: 1.1rem; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
}
.note { margin-top: 0.75rem; padding: 0.6rem 0.8rem; border-radius: 6px; }
.none { color: var(--quiet); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.35rem 1rem; margin-top: 0.9rem; }
dt { color: var(--quiet); }
.copied { display: flex; flex-wrap: wrap; gap: 0.2rem 0.6rem; align-items: center; }
.copied + .copied { margin-top: 0.3rem; }
button {
  min-height: 1.6rem; padding: 0 0.6rem; border: 1px solid var(--line); border-radius: 6px; cursor: pointer;
  background: var(--ground); color: var(--text); font: inherit; font-size: 0.8125rem;
}
button:hover { border-color: currentColor; }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 0.75rem 1rem; }
.numbers div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.numbers dd { font-size: 1.25rem; font-weight: 600; line-height: 1.3; }
.numbers dt, .axis, figcaption { font-size: 0.8125rem; color: var(--quiet); }
.graphs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: 1rem 1.5rem; }
.graphs { margin-top: 1rem; }
figcaption b { margin-left: 0.25rem; color: var(--text); }
svg { display: block; width: 100%; height: 3.75rem; margin: 0.25rem 0; border-bottom: 1px solid var(--line); }
.line { fill: none; stroke: currentColor; stroke-width: 1.5px; stroke-linejoin: round; }
.line { vector-effect: non-scaling-stroke; }
.area { fill: currentColor; opacity: 0.16; }
.sent svg { color: var(--sent); }
.received svg { color: var(--received); }
.axis { display: flex; justify-content: space-between; gap: 0.5rem; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.45rem 0.9rem 0.45rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
th { font-weight: 600; }
thead th { border: 0; padding-top: 0; font-size: 0.8125rem; font-weight: 400; color: var(--quiet); }
th, td.number { white-space: nowrap; }
footer { color: var(--quiet); font-size: 0.875rem; }
nav a { margin-left: 0.6rem; }
.unseen {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
@media (prefers-reduced-motion: no-preference) {
  .wait::before { animation: wait 2s ease-in-out infinite alternate; }
  @keyframes wait { to { opacity: 0.3; } }
}
@media (max-width: 44rem) {
  #since { margin-left: 0; width: 100%; }
  .badge { white-space: normal; }
  .facts { grid-template-columns: 1fr; gap: 0.1rem; }
  .facts dd { margin-bottom: 0.5rem; }
  table, tbody, tr, th { display: block; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: 0.5rem 0; border-top: 1px solid var(--line); }
  tbody th, td, td.number { padding: 0.1rem 0; border: 0; white-space: normal; }
  td { display: grid; grid-template-columns: 7.5rem 1fr; }
  td > * { grid-column: 2; justify-self: start; }
  td::before { content: attr(data-label); content: attr(data-label) / ""; grid-column: 1; color: var(--quiet); }
  td:empty { display: none; }
}
`;

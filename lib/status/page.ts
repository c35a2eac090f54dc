import { PAGE_SCRIPT } from "./page_script.ts";
import { PAGE_STYLE } from "./page_style.ts";

/**
 * The page for people: a document that asks `/status.json` of its own origin every two seconds, and needs nothing else.
 *
 * It has one style and one script, and no attribute that is either, so that a Content-Security-Policy can permit these
 * two by their hashes and nothing besides. The graph is a template, so that the parser, and not the script, knows what
 * SVG is. Regions that speak (`status`, `alert`) hold what changes seldom: numbers are outside.
 */
export const PAGE: string = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>asking - i2p-socks</title>
<style>${compact(PAGE_STYLE)}</style>
</head>
<body>
<header>
<h1>i2p-socks</h1>
<p id="state" class="badge" role="status">Asking the program</p>
<p id="since"></p>
</header>
<main>
<div id="stale" hidden>
<p id="alert" role="alert"></p>
<p id="ago"></p>
</div>
<noscript><p class="note">This page draws itself with a script, and scripts are switched off here. The same is told in a
terminal by <code>i2p-socks status</code></p></noscript>
<div id="applications"></div>
</main>
<footer>
<nav aria-label="The same for programs">
<span>For programs:</span>
<a href=/status.json>status.json</a>
<a href=/metrics>metrics</a>
<a href=/ready>ready</a>
</nav>
</footer>
<p id="said" class="unseen" role="status"></p>
<template id="graph">
<figure>
<figcaption><span class="what"></span> <b class="now"></b></figcaption>
<svg role="img" viewBox="0 0 300 60" preserveAspectRatio="none"><path class="area"/><path class="line"/></svg>
<p class="axis" aria-hidden="true"><span>5 min ago</span><span class="peak"></span><span>now</span></p>
</figure>
</template>
<script>${compact(PAGE_SCRIPT)}</script>
</body>
</html>
`;

/** Leaves indents and lines of comment out. */
function compact(code: string): string {
  return code.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("//")).join("\n");
}

import html from "./page.html" with { type: "text" };
import script from "./page.js" with { type: "text" };
import style from "./page.css" with { type: "text" };

/**
 * The page for people: one document, which asks `/status.json` of its own origin every two seconds and needs nothing else.
 *
 * It has one style and one script, and no attribute that is either, so that a Content-Security-Policy can permit these
 * two by their hashes and nothing else. The graph is a template, so that the parser, and not the script, knows what SVG
 * is. Regions that screen readers announce (`status`, `alert`) hold what changes seldom: numbers are outside.
 */
export const PAGE: string = html
  .replace('<link rel="stylesheet" href="page.css">', () => `<style>\n${style}</style>`)
  .replace('<script type="module" src="page.js"></script>', () => `<script type="module">\n${script}</script>`);

import type { ChromiumPage } from "../clients/chromium.ts";

/** How a piece of text stands out. */
export interface Contrast {
  /** The text. */
  text: string;
  /** Its contrast to what it stands on, 1 to 21 (WCAG 2.2 §1.4.3). */
  ratio: number;
}

/** Runs in the page: every text that is seen, with its colour and the nearest ground under it. */
const MEASURE = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("script, .unseen")) continue;
    let under = element;
    while (under.parentElement && channels(getComputedStyle(under).backgroundColor)[3] === 0) under = under.parentElement;
    const [a, b] = [getComputedStyle(element).color, getComputedStyle(under).backgroundColor].map(light);
    found.push({ text: node.data, ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) });
  }
  return found;
})()`;

/** Measures the contrast of every text that the page shows. */
export async function readContrasts(page: ChromiumPage): Promise<Contrast[]> {
  return await page.evaluate<Contrast[]>(MEASURE);
}

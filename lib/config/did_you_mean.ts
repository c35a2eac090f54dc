import { suggest } from "./suggest.ts";

/** A hint about a mistyped word: none where no candidate is near enough. */
export function didYouMean(word: string, candidates: Iterable<string>): string[] {
  const meant = suggest(word, candidates);
  return meant === undefined ? [] : [`Did you mean ${meant}?`];
}

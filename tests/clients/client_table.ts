import { type Block, parseBlocks } from "../../lib/manual/markdown.ts";
import { TOPICS } from "../../lib/manual/topics.ts";

/**
 * What a client says of a refusal, by the manual's page of clients: a pattern of one of the words in code there, in which
 * `…` stands for whatever comes between.
 *
 * @param client the heading of its section.
 * @param place which of the words, from 0 on.
 * @throws {Error} if the page has no such words.
 */
export function saidBy(client: string, place = 0): RegExp {
  const blocks = parseBlocks(TOPICS["clients"]?.page ?? "");
  const start = blocks.findIndex((block) => block.kind === "heading" && block.text === client);
  const list = blocks.slice(start).find((block): block is Block & { kind: "list" } => block.kind === "list");
  const refused = start < 0 ? undefined : list?.items.find((item) => item.startsWith("Refused: "));
  const words = [...(refused ?? "").matchAll(/`([^`]+)`/g)][place]?.[1];
  if (words === undefined) throw new Error(`The page of clients has no words ${place} of "${client}"`);
  const parts = words.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join(".*"));
}

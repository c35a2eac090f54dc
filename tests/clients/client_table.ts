import { README } from "../tools/readme.ts";

/**
 * What a client says of a refusal, by the README's table of clients: a pattern of one of the words in code there, in
 * which `…` stands for whatever comes between.
 *
 * @param client its name in the table.
 * @param place which of the words, from 0 on.
 * @throws {Error} if the table has no such words.
 */
export async function saidBy(client: string, place = 0): Promise<RegExp> {
  const [, section = ""] = (await Deno.readTextFile(README)).split("\n## Clients\n");
  const lines = section.split(/\n##/, 1)[0]?.split("\n") ?? [];
  const cells = lines.map((line) => line.split("|").map((cell) => cell.trim())).find(([, name]) => name === client);
  const words = [...(cells?.[4] ?? "").matchAll(/`([^`]+)`/g)][place]?.[1];
  if (words === undefined) throw new Error(`The README's table of clients has no words ${place} of "${client}"`);
  const parts = words.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(parts.join(".*"));
}

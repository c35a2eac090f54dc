import { assertEquals } from "@std/assert";
import { acceptAll, ACCEPTED_A_TURN } from "../../lib/io/accept.ts";
import { delay } from "../support/wait.ts";

Deno.test("acceptAll() goes on after an accept that fails, and ends with its listener", async () => {
  const conn = {} as Deno.TcpConn;
  const script: (() => Deno.TcpConn)[] = [
    () => {
      throw new Deno.errors.NotConnected("reset before it was accepted");
    },
    () => conn,
    () => {
      throw Object.assign(new Error("Too many open files"), { code: "EMFILE" });
    },
    () => conn,
    () => {
      throw new Deno.errors.BadResource("closed");
    },
  ];
  const listener = {
    accept: () => new Promise<Deno.TcpConn>((resolve) => resolve((script.shift() ?? (() => conn))())),
  } as unknown as Deno.TcpListener;
  const accepted: Deno.TcpConn[] = [];
  const failed: unknown[] = [];
  await acceptAll(listener, (c) => accepted.push(c), (error) => failed.push(error), () => Promise.resolve());
  assertEquals(accepted.length, 2);
  assertEquals(failed.length, 2);
});

Deno.test("acceptAll() gives everything else a turn behind each batch of clients", async () => {
  const waiting = Array.from({ length: 2 * ACCEPTED_A_TURN + 1 }, () => ({}) as Deno.TcpConn);
  const listener = {
    accept: (): Promise<Deno.TcpConn> => {
      const next = waiting.shift();
      return next === undefined ? Promise.reject(new Deno.errors.BadResource("closed")) : Promise.resolve(next);
    },
  } as unknown as Deno.TcpListener;
  const story: string[] = [];
  const turn = async (): Promise<void> => {
    story.push("turn begins");
    await delay(1);
    story.push("turn ends");
  };
  await acceptAll(listener, () => story.push("client"), () => story.push("failure"), turn);
  const batch = [...Array(ACCEPTED_A_TURN).fill("client"), "turn begins", "turn ends"];
  assertEquals(story, [...batch, ...batch, "client"]);
});

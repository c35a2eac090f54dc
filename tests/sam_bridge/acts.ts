import { delay } from "../support/wait.ts";
import type { SamBridge, SamSocket } from "./bridge.ts";

/** What an act makes of a socket: it is dealt with, it hangs, or the bridge goes on with it. */
export type Left = "done" | "hanging" | "pass";

/** What a bridge does with a socket. */
export type Act = (socket: SamSocket, bridge: SamBridge) => Left | Promise<Left>;

/** Milliseconds between the bytes of an answer that comes in time, and how many of them come alone. */
const [DRIP, DRIPS] = [10, 60];

/** The same of an answer that never comes to its end; after so many it hangs. */
const [SLOW_DRIP, SLOW_DRIPS] = [100, 150];

/** Leaves the socket open, and says nothing. */
export function hangs(): Left {
  return "hanging";
}

/** Lets the bridge go on as if nothing had been. */
export function passes(): Left {
  return "pass";
}

/** Closes at once. */
export function closes(socket: SamSocket): Left {
  socket.close();
  return "done";
}

/** Closes with bytes unread, for which the kernel sends a reset. */
export async function resets(socket: SamSocket): Promise<Left> {
  await socket.conn.read(new Uint8Array(1));
  return closes(socket);
}

/** Says something, then does something else. */
export function says(text: string | Uint8Array, then: Act = hangs): Act {
  return async (socket, bridge) => {
    if (typeof text === "string") await socket.write(text);
    else for (let sent = 0; sent < text.length;) sent += await socket.conn.write(text.subarray(sent));
    return await then(socket, bridge);
  };
}

/** Answers with a line, and closes, as i2pd does after each refusal. */
export function answers(line: string): Act {
  return says(`${line}\n`, closes);
}

/** Waits, then does something. */
export function waits(milliseconds: number, then: Act): Act {
  return async (socket, bridge) => {
    await delay(milliseconds);
    return await then(socket, bridge);
  };
}

/** Has the bridge say its own answers in another way. */
export function speaks(spoken: (text: string) => AsyncIterable<string>): Act {
  return (socket) => {
    socket.spoken = spoken;
    return "pass";
  };
}

/** Sends a byte now and then, which would put off every clock that counts from the last one. */
export function dripsWithoutEnd(text: string): Act {
  return async (socket) => {
    for (let i = 0; i < SLOW_DRIPS && socket.open; i++) {
      await socket.write(text.charAt(i) || "x");
      await delay(SLOW_DRIP);
    }
    return hangs();
  };
}

/** Asks for a sign of life in the midst of a request, and goes on when it has come. */
export async function pings(socket: SamSocket): Promise<Left> {
  await socket.write("PING 17 and 4\n");
  const buffer = new Uint8Array(100);
  const pong = new TextDecoder().decode(buffer.subarray(0, await socket.conn.read(buffer) ?? 0));
  if (pong !== "PONG 17 and 4\n") throw new Error(`PING was answered ${JSON.stringify(pong)}`);
  return passes();
}

/** Exchanges HELLO, whatever the socket is for. */
export function greets(then: Act): Act {
  return async (socket, bridge) => {
    await socket.conn.read(new Uint8Array(1000));
    return await says("HELLO REPLY RESULT=OK VERSION=3.1\n", then)(socket, bridge);
  };
}

/** Ends the session, but leaves its streams open, and reads what comes for nothing. */
export async function dropsTheSession(socket: SamSocket, bridge: SamBridge): Promise<Left> {
  bridge.dropSessions({ prefix: "i2p-socks-", keepStreams: true });
  const buffer = new Uint8Array(1000);
  while (await socket.conn.read(buffer).catch(() => null) !== null);
  return hangs();
}

/** A manner: a byte at a time, but for the rest of a long answer. */
export async function* drip(text: string): AsyncIterable<string> {
  for (const character of text.slice(0, DRIPS)) {
    yield character;
    await delay(DRIP);
  }
  yield text.slice(DRIPS);
}

/** A manner that changes the text. */
export function rewrite(change: (text: string) => string): (text: string) => AsyncIterable<string> {
  return async function* (text): AsyncIterable<string> {
    yield await Promise.resolve(change(text));
  };
}

/** What an act is performed on: connections before their first line, or those on which a command has come. */
export type Hit = "connection" | "HELLO" | "SESSION CREATE" | "STREAM CONNECT";

/**
 * Has a bridge perform an act from now on.
 *
 * @returns what ends that: it closes the sockets that were left hanging, and resolves when no act is under way.
 */
export function perform(bridge: SamBridge, hit: Hit, act: Act): () => Promise<void> {
  const hanging = new Set<SamSocket>();
  const acting: Promise<boolean>[] = [];
  const run = async (socket: SamSocket): Promise<boolean> => {
    hanging.add(socket);
    const left = await act(socket, bridge);
    if (left !== "hanging") hanging.delete(socket);
    return left !== "pass";
  };
  const hook = (socket: SamSocket): Promise<boolean> => {
    const running = run(socket);
    acting.push(running);
    return running;
  };
  if (hit === "connection") bridge.accept = hook;
  else bridge.intercept = (line, socket) => line.startsWith(hit) && hook(socket);
  return async () => {
    bridge.accept = bridge.intercept = () => false;
    hanging.forEach((socket) => socket.close());
    await Promise.allSettled(acting);
  };
}

/** An IRC server for one channel, which answers each message there. */
export interface IrcServer extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
  /** Lines of clients so far. */
  readonly lines: readonly string[];
}

const CHANNEL = "#test";

/** Starts it. Its answer to a message in the channel is `answer`. */
export function startIrcServer(answer: string): Promise<IrcServer> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lines: string[] = [];
  const tasks: Promise<void>[] = [];
  const conns = new Set<Deno.TcpConn>();
  const serving = (async (): Promise<void> => {
    for await (const conn of listener) {
      conns.add(conn);
      // A client that goes away is no failure.
      tasks.push(serve(conn, lines, answer).catch(() => {}).finally(() => conns.delete(conn)));
    }
  })();
  return Promise.resolve({
    port: listener.addr.port,
    lines,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const conn of conns) conn.close();
      await serving;
      await Promise.all(tasks);
    },
  });
}

async function serve(conn: Deno.TcpConn, lines: string[], answer: string): Promise<void> {
  const writer = conn.writable.getWriter();
  let nick = "*";
  let rest = "";
  for await (const text of conn.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      nick = /^NICK :?(\S+)/.exec(line)?.[1] ?? nick;
      for (const reply of replies(line, nick, answer)) await writer.write(new TextEncoder().encode(`${reply}\r\n`));
    }
  }
  await writer.close();
}

function replies(line: string, nick: string, answer: string): string[] {
  const [command = "", ...words] = line.split(" ");
  switch (command) {
    case "CAP":
      return words[0] === "LS" ? [`:irc.i2p CAP ${nick} LS :`] : [];
    case "USER":
      return [`:irc.i2p 001 ${nick} :Welcome`, `:irc.i2p 422 ${nick} :No message of the day`];
    case "PING":
      return [`:irc.i2p PONG irc.i2p ${words.join(" ")}`];
    case "JOIN":
      // irssi asks to join nothing, to hear that it is too early.
      if (words[0] !== CHANNEL) return [`:irc.i2p 451 ${nick} JOIN :You have not registered`];
      return [
        `:${nick}!user@i2p JOIN ${CHANNEL}`,
        `:irc.i2p 353 ${nick} = ${CHANNEL} :${nick} somebody`,
        `:irc.i2p 366 ${nick} ${CHANNEL} :End of names`,
      ];
    case "PRIVMSG":
      return [`:somebody!user@i2p PRIVMSG ${CHANNEL} :${answer}`];
    default:
      return [];
  }
}

/** A program that listens and does nothing else, to see what of a process's memory is the runtime's. */
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log("ready");
for await (const conn of listener) conn.close();

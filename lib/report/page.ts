/** The page for people. It asks for `/status.json` again and again, and loads nothing else. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>i2p-socks</title>
<style>
:root { color-scheme: light dark; }
body { font-family: sans-serif; margin: 2em auto; max-width: 45em; padding: 0 1em; }
</style>
</head>
<body>
<h1>i2p-socks</h1>
<p id="summary" role="status">Asking for the status</p>
<ul id="applications"></ul>
<script>
const show = async () => {
  const summary = document.getElementById("summary");
  try {
    const status = await (await fetch("/status.json")).json();
    summary.textContent = "Version " + status.version + ", started " + status.startedAt;
    document.getElementById("applications").replaceChildren(...status.applications.map((application) => {
      const item = document.createElement("li");
      item.textContent = application.name + " on " + application.listen.join(", ") + ": " +
        (application.ready ? "ready" : application.reason) + "; " + application.streams + " streams, " +
        application.bytesSent + " bytes sent, " + application.bytesReceived + " received";
      return item;
    }));
  } catch {
    summary.textContent = "The program does not answer";
  }
  setTimeout(show, 2000);
};
show();
</script>
</body>
</html>
`;

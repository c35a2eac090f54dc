import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { type ClientStage, startClientStage, succeeds, unless } from "../clients/client_stage.ts";
import { startWitness, type Witness, type Witnessed } from "../clients/witness.ts";
import { e2eTest } from "../support/e2e.ts";
import { startSite } from "../support/site.ts";

const HOST = "site.i2p";

const REQUEST = `GET / HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`;

/** How the settings of an application are used by the real program. */
interface Trial {
  needs: readonly string[];
  /** A script for bash, for the settings, in a folder of its own. */
  script(settings: string): string;
  /** The login, or user id, that it sends; undefined where it sends none. */
  login: string | undefined;
  /** Whether it speaks HTTP, so that a page comes. @default {true} */
  fetches?: boolean;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const TRIALS: Readonly<Record<string, Trial>> = {
  ncat: {
    needs: ["ncat"],
    script: (settings) => `printf ${quoted(REQUEST)} | ${settings}`,
    login: "work:x",
  },
  socat: {
    needs: ["socat"],
    script: (settings) => `printf ${quoted(REQUEST)} | ${settings}`,
    login: "work",
  },
  putty: {
    needs: ["plink"],
    script: (settings) =>
      `mkdir -p .putty/sessions; echo ${quoted(settings)} > .putty/sessions/i2p
      printf ${quoted(REQUEST)} | plink -batch -load i2p -raw -P 80 ${HOST}`,
    login: "work:x",
  },
  apt: {
    needs: ["apt-get"],
    script: (settings) =>
      `echo ${quoted(settings.replace("REPOSITORY.i2p", HOST))} > apt.conf
      APT_CONFIG=apt.conf /usr/lib/apt/apt-helper -o Acquire::Retries=0 download-file http://${HOST}/ page; cat page`,
    login: "apt:x",
  },
  msmtp: {
    needs: ["msmtp"],
    script: (settings) =>
      `printf '%s\\n' 'account default' 'host ${HOST}' 'port 80' 'from a@b.i2p' ${quoted(settings)} > .msmtprc
      echo x | msmtp -C .msmtprc --timeout=10 c@d.i2p`,
    login: undefined,
    fetches: false,
  },
  mosquitto: {
    needs: ["mosquitto_pub"],
    script: (settings) => `timeout 10 mosquitto_pub -h ${HOST} -p 80 -t a -m b ${settings}`,
    login: "mqtt:x",
    fetches: false,
  },
  rclone: {
    needs: ["rclone"],
    script: (settings) =>
      `${settings} --config /dev/null --retries 1 cat :http: --http-url http://${HOST}/ --include /x`,
    login: "sync:x",
    fetches: false,
  },
  "yt-dlp": {
    needs: ["yt-dlp"],
    script: (settings) =>
      `mkdir -p .config/yt-dlp; echo ${quoted(settings)} > .config/yt-dlp/config
      yt-dlp --no-cache-dir --retries 0 --force-generic-extractor http://${HOST}/`,
    login: "video:x",
    fetches: false,
  },
  pysocks: {
    needs: unless(succeeds("/usr/bin/python3", "-c", "import socks"), "PySocks"),
    script: (settings) =>
      `cat > a.py <<'END'
import socks
${settings}
sock.sendall(${JSON.stringify(REQUEST)}.encode())
print(sock.makefile().read())
END
      /usr/bin/python3 a.py`,
    login: "work:x",
  },
  env: {
    needs: ["curl"],
    script: (settings) => `eval ${quoted(settings)}; curl --silent --max-time 20 http://${HOST}/`,
    login: "random",
  },
};

for (const [name, trial] of Object.entries(TRIALS)) {
  e2eTest(
    `${name} takes its settings, and leaves the name to the proxy`,
    ["bash", "strace", ...trial.needs],
    async () => {
      await using site = await startSite();
      await using stage = await startClientStage({ [HOST]: site.port });
      await using witness = startWitness(stage.port);
      const { stdout, stderr, seen } = await tryOut(name, trial, stage, witness);
      const [first] = seen;
      assertEquals([first?.asked?.form, first?.asked?.host], ["name", HOST], stdout + stderr);
      if (trial.login === "random") assert((first?.login ?? "").length > 2, stderr);
      else assertEquals(first?.login, trial.login);
      if (trial.fetches !== false) assertStringIncludes(stdout, site.token, stderr);
    },
  );
}

async function tryOut(
  name: string,
  { script }: Trial,
  stage: ClientStage,
  witness: Witness,
): Promise<{ stdout: string; stderr: string; seen: readonly Witnessed[] }> {
  const { settings } = describeSetup(clientNamed(name), { hostname: "127.0.0.1", port: witness.port });
  const text = `cd "$HOME" && { ${script(settings.replaceAll("NAME.i2p", HOST))}\n}`;
  const { stdout, stderr, astray } = await stage.run("bash", ["-c", text]);
  assertEquals(astray, [], stdout + stderr);
  return { stdout, stderr, seen: witness.seen };
}

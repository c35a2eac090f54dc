/** How a client of the table is run for one page. */
export interface Run {
  program: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** Files by name; `{dir}` in words, variables and files is their folder. */
  files?: Readonly<Record<string, string>>;
  stdin?: string;
  /** Folder that it runs in: where its packages are. */
  cwd?: string;
}

/** Where a client is to go. */
export interface Goal {
  /** Port of SOCKS on 127.0.0.1. */
  port: number;
  host: string;
  login: { user: string; password: string } | undefined;
}

/** A client or a library of the table of `help clients`. */
export interface TableClient {
  /** Its name, as users know it. */
  name: string;
  /** The words that make it leave names to the proxy, for the table. */
  setting: string;
  /** A command whose output, or what matches in it, is its version; where it fails, the client is not installed. */
  version: { program: string; args: readonly string[]; match?: RegExp; cwd?: string };
  /** How it is run. One without logins is not run with one. */
  run(goal: Goal): Run;
  /** Whether it can send a login. */
  hasLogin: boolean;
}

/** Folders of the packages of Node, the module of Go and the crates of Rust: where `deno task clients` finds libraries. */
const NODE = Deno.env.get("I2P_SOCKS_NODE_CLIENTS") ?? ".";
const GO = Deno.env.get("I2P_SOCKS_GO_CLIENTS") ?? ".";
const RUST = Deno.env.get("I2P_SOCKS_RUST_CLIENTS") ?? ".";

/** Asks Debian for a version, of which its own suffix is left out. */
const DEBIAN = { program: "dpkg-query", args: ["-W", "-f", "${Version}"], match: /^(?:\d+:)?([\d.]+(?:beta\d+)?)/ };

function at({ login }: Goal): string {
  return login === undefined ? "" : `${login.user}:${login.password}@`;
}

function proxyUrl(scheme: string, goal: Goal): string {
  return `${scheme}://${at(goal)}127.0.0.1:${goal.port}`;
}

/** A library of Python: a module whose version is looked up, and a program that fetches. */
function python(
  name: string,
  setting: string,
  code: (goal: Goal) => string,
  { hasLogin = true, distribution = name }: { hasLogin?: boolean; distribution?: string } = {},
): TableClient {
  return {
    name,
    setting,
    version: {
      program: "python3",
      args: ["-c", `import importlib.metadata as m; print(m.version("${distribution}"))`],
    },
    run: (goal) => ({ program: "python3", args: ["-c", code(goal)] }),
    hasLogin,
  };
}

function node(
  name: string,
  setting: string,
  code: (goal: Goal) => string,
  env: (goal: Goal) => Record<string, string> = () => ({}),
): TableClient {
  return {
    name: `${name} (Node)`,
    setting,
    version: {
      program: "node",
      args: ["-p", `JSON.parse(require("fs").readFileSync("node_modules/${name}/package.json")).version`],
      cwd: NODE,
    },
    run: (goal) => ({
      program: "node",
      args: ["--input-type=module", "-e", code(goal)],
      cwd: NODE,
      env: env(goal),
    }),
    hasLogin: true,
  };
}

function java(
  name: string,
  setting: string,
  jar: string | undefined,
  body: (goal: Goal) => string,
  hasLogin = false,
): TableClient {
  const jars = Deno.env.get("CLASSPATH") ?? "";
  const [, version] = jar === undefined ? [] : new RegExp(`/${jar}-([\\w.]+)\\.jar`).exec(jars) ?? [];
  return {
    name,
    setting,
    version: jar === undefined
      ? { program: "java", args: ["--version"], match: /^\w+ ([\d.]+)/ }
      : { program: version === undefined ? "false" : "echo", args: [version ?? ""] },
    run: (goal) => ({
      program: "java",
      args: ["{dir}/Main.java"],
      files: {
        "Main.java": `public class Main { public static void main(String[] a) throws Exception { ${body(goal)} } }\n`,
      },
    }),
    hasLogin,
  };
}

function goProgram(name: string, setting: string, code: string, variable: string): TableClient {
  const [module] = /golang\.org\/x\/net|github\.com\/valyala\/fasthttp/.exec(code) ?? [];
  return {
    name,
    setting,
    version: module === undefined
      ? { program: "go", args: ["version"], match: /go([\d.]+)/ }
      : { program: "go", args: ["list", "-m", "-f", "{{.Version}}", module], cwd: GO },
    run: (goal) => ({
      program: "go",
      args: ["run", "{dir}/main.go", `http://${goal.host}/`],
      files: { "main.go": code },
      cwd: GO,
      env: { [variable]: proxyUrl("socks5", goal) },
    }),
    hasLogin: true,
  };
}

/** A crate of Rust, from the folder's own build of it: its address, host, user and password are the arguments. */
function rust(name: string, setting: string, scheme: string, code: string, isAsync = false): TableClient {
  const manifest = `[package]\nname = "client"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n${RUST_CRATES}`;
  return {
    name: `${name} (Rust)`,
    setting,
    version: {
      program: "grep",
      args: ["-A1", `^name = "${name}"`, "Cargo.lock"],
      match: /version = "([\d.]+)"/,
      cwd: RUST,
    },
    run: (goal) => ({
      program: "bash",
      args: [
        ...[
          "-c",
          `cp Cargo.lock {dir}/ && exec cargo run --offline --quiet --target-dir target \\
          --manifest-path {dir}/Cargo.toml -- "$@"`,
        ],
        ...["bash", isAsync ? `127.0.0.1:${goal.port}` : proxyUrl(scheme, goal), goal.host],
        ...(goal.login === undefined ? [] : [goal.login.user, goal.login.password]),
      ],
      cwd: RUST,
      files: {
        "Cargo.toml": manifest,
        "src/main.rs": isAsync ? RUST_ASYNC.replace("CONNECT", code) : RUST_FETCH.replace("FETCH", code),
      },
    }),
    hasLogin: true,
  };
}

const RUST_CRATES =
  `reqwest = { version = "*", default-features = false, features = ["socks", "blocking", "native-tls"] }
ureq = { version = "*", default-features = false, features = ["socks-proxy"] }
tokio-socks = "*"
fast-socks5 = "*"
tokio = { version = "1", features = ["rt", "net", "io-util", "macros"] }
`;

const RUST_FETCH = `fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let (proxy, url) = (words[1].as_str(), format!("http://{}/", words[2]));
    println!("{}", FETCH);
    Ok(())
}
`;

const RUST_ASYNC = `use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    let (proxy, host, login) = (words[1].clone(), words[2].clone(), words.get(3).cloned());
    let mut stream = CONNECT;
    stream.write_all(b"GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n").await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    println!("{text}");
    Ok(())
}
`;

const GO_HTTP = `package main
import ("fmt"; "io"; "net/http"; "os")
func main() {
	r, err := http.Get(os.Args[1])
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	io.Copy(os.Stdout, r.Body)
}
`;

const GO_DIALER = `package main
import ("context"; "fmt"; "io"; "net"; "net/http"; "os"; "golang.org/x/net/proxy")
func main() {
	d := proxy.FromEnvironment().(proxy.ContextDialer)
	t := &http.Transport{DialContext: func(c context.Context, n, a string) (net.Conn, error) { return d.DialContext(c, n, a) }}
	r, err := (&http.Client{Transport: t}).Get(os.Args[1])
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	io.Copy(os.Stdout, r.Body)
}
`;

const GO_FASTHTTP = `package main
import ("fmt"; "os"; "github.com/valyala/fasthttp"; "github.com/valyala/fasthttp/fasthttpproxy")
func main() {
	c := &fasthttp.Client{Dial: fasthttpproxy.FasthttpSocksDialer(os.Getenv("PROXY"))}
	_, b, err := c.Get(nil, os.Args[1])
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	fmt.Println(string(b))
}
`;

const JAVA_READ = "try (var in = c.getInputStream()) { in.transferTo(System.out); }";

function under(
  name: string,
  program: string,
  config: (goal: Goal) => Run,
  version: TableClient["version"],
  hasLogin: boolean,
): TableClient {
  return { name, setting: program, version, run: config, hasLogin };
}

function chained({ port, login }: Goal, more: string): string {
  const words = login === undefined ? "" : ` ${login.user} ${login.password}`;
  return `strict_chain\nquiet_mode\nproxy_dns\n[ProxyList]\n${more} 127.0.0.1 ${port}${words}\n`;
}

const CURL_TIMES = ["--silent", "--show-error", "--max-time", "20"];

/** Waits in bash until something listens at the port that stands in a file. */
const UP =
  "for i in {1..100}; do (echo > /dev/tcp/127.0.0.1/$(cat '{dir}/port')) 2>/dev/null && break; sleep 0.1; done";

/** The system's Python, which has the modules that Debian packs. */
const SYSTEM_PYTHON: readonly string[] = ["-u", "PYTHONPATH", "/usr/bin/python3", "-c"];

/** An HTTP request as text, for what speaks no HTTP itself. */
const REQUEST = "GET / HTTP/1.0\r\nHost: site.i2p\r\n\r\n";

/** All clients of the table, in its order. */
export const TABLE_CLIENTS: readonly TableClient[] = [
  ...["socks5h", "socks4a", "socks5"].map((scheme): TableClient => ({
    name: scheme === "socks5h" ? "curl" : `curl, ${scheme}`,
    setting: `${scheme}://`,
    version: { program: "curl", args: ["--version"], match: /curl ([\d.]+)/ },
    run: (goal) => ({
      program: "curl",
      args: [...CURL_TIMES, "--noproxy", "", "--proxy", proxyUrl(scheme, goal), `http://${goal.host}/`],
    }),
    hasLogin: true,
  })),
  {
    name: "git over HTTP",
    setting: "http.proxy=socks5h://",
    version: { program: "git", args: ["--version"], match: /([\d.]+)/ },
    run: (goal) => ({
      program: "git",
      args: ["-c", `http.proxy=${proxyUrl("socks5h", goal)}`, "ls-remote", `http://${goal.host}/a.git`],
    }),
    hasLogin: true,
  },
  {
    name: "nc (OpenBSD)",
    setting: "-X 5 -x",
    version: { ...DEBIAN, args: [...DEBIAN.args, "netcat-openbsd"] },
    run: ({ port, host }) => ({
      program: "nc.openbsd",
      args: ["-N", "-w", "20", "-X", "5", "-x", `127.0.0.1:${port}`, host, "80"],
      stdin: REQUEST,
    }),
    hasLogin: false,
  },
  ...["socks5", "socks4"].map((type): TableClient => ({
    name: type === "socks5" ? "ncat" : "ncat, socks4",
    setting: `--proxy-type ${type} --proxy-dns remote`,
    version: { program: "ncat", args: ["--version"], match: /([\d.]+)/ },
    run: (goal) => ({
      program: "ncat",
      args: [
        ...["--proxy", `127.0.0.1:${goal.port}`, "--proxy-type", type, "--proxy-dns", "remote"],
        ...(goal.login === undefined ? [] : ["--proxy-auth", `${goal.login.user}:${goal.login.password}`]),
        ...["-w", "20", goal.host, "80"],
      ],
      stdin: REQUEST,
    }),
    hasLogin: type === "socks5",
  })),
  {
    name: "socat",
    setting: "SOCKS4A:",
    version: { program: "socat", args: ["-V"], match: /version ([\d.]+)/ },
    run: ({ port, host, login }) => ({
      program: "socat",
      args: [
        "-T",
        "20",
        "-",
        `SOCKS4A:127.0.0.1:${host}:80,socksport=${port}${login ? `,socksuser=${login.user}` : ""}`,
      ],
      stdin: REQUEST,
    }),
    hasLogin: true,
  },
  {
    name: "connect-proxy",
    setting: "-5 -R remote -S",
    version: { ...DEBIAN, args: [...DEBIAN.args, "connect-proxy"] },
    run: ({ port, host, login }) => ({
      program: "connect-proxy",
      args: [
        "-5",
        "-R",
        "remote",
        ...(login ? [] : ["-a", "none"]),
        "-S",
        `${login ? `${login.user}@` : ""}127.0.0.1:${port}`,
        host,
        "80",
      ],
      stdin: REQUEST,
      env: login === undefined ? {} : { SOCKS5_PASSWORD: login.password },
    }),
    hasLogin: true,
  },
  {
    name: "PuTTY (plink)",
    setting: "Proxy type SOCKS 5, DNS lookup at proxy end, a user name",
    version: { program: "plink", args: ["-V"], match: /Release ([\d.]+)/ },
    run: ({ port, host, login }) => ({
      program: "plink",
      args: ["-batch", "-load", "i2p", "-raw", "-P", "80", host],
      stdin: REQUEST,
      files: {
        ".putty/sessions/i2p":
          `ProxyMethod=2\nProxyHost=127.0.0.1\nProxyPort=${port}\nProxyDNS=2\nProxyLocalhost=1\nProxyUsername=${
            login?.user ?? "i2p"
          }\nProxyPassword=${login?.password ?? "x"}\n`,
      },
    }),
    hasLogin: true,
  },
  under(
    "proxychains-ng with curl",
    "proxy_dns",
    (goal) => ({
      program: "proxychains4",
      args: ["-f", "{dir}/chain.conf", "curl", ...CURL_TIMES, `http://${goal.host}/`],
      files: { "chain.conf": chained(goal, "socks5") },
    }),
    { ...DEBIAN, args: [...DEBIAN.args, "proxychains4"] },
    true,
  ),
  under(
    "torsocks with curl",
    "--map-names 198.18.0.0/15",
    ({ port, host, login }) => ({
      program: "torsocks",
      args: [
        ...["-a", "127.0.0.1", "-P", `${port}`, ...(login ? ["-u", login.user, "-p", login.password] : [])],
        ...["curl", ...CURL_TIMES, `http://${host}/`],
      ],
    }),
    { ...DEBIAN, args: [...DEBIAN.args, "torsocks"] },
    true,
  ),
  under(
    "tsocks with curl",
    "server_type = 5",
    ({ port, host }) => ({
      program: "tsocks",
      args: ["curl", ...CURL_TIMES, `http://${host}/`],
      env: { TSOCKS_CONF_FILE: "{dir}/tsocks.conf" },
      files: { "tsocks.conf": `server = 127.0.0.1\nserver_port = ${port}\nserver_type = 5\n` },
    }),
    { ...DEBIAN, args: [...DEBIAN.args, "tsocks"] },
    false,
  ),
  {
    name: "tor-resolve",
    setting: "--map-names RANGE",
    version: { program: "tor-resolve", args: ["--version"], match: /([\d.]+)/ },
    run: ({ port, host }) => ({ program: "tor-resolve", args: [host, `127.0.0.1:${port}`] }),
    hasLogin: false,
  },
  {
    name: "wget",
    setting: "none: it has no SOCKS",
    version: { program: "wget", args: ["--version"], match: /Wget ([\d.]+)/ },
    run: (goal) => ({
      program: "wget",
      args: ["-q", "-t", "1", "-T", "10", "-O", "-", `http://${goal.host}/`],
      env: { http_proxy: proxyUrl("socks5h", goal) },
    }),
    hasLogin: false,
  },
  {
    name: "aria2",
    setting: "none: it has no SOCKS",
    version: { program: "aria2c", args: ["--version"], match: /version ([\d.]+)/ },
    run: (goal) => ({
      program: "aria2c",
      args: [
        "-q",
        "-d",
        "{dir}",
        "--max-tries=1",
        "--connect-timeout=10",
        `--all-proxy=http://127.0.0.1:${goal.port}`,
        `http://${goal.host}/`,
      ],
    }),
    hasLogin: false,
  },
  {
    name: "apt",
    setting: "Acquire::http::Proxy socks5h://",
    version: { program: "apt-get", args: ["--version"], match: /apt ([\d.]+)/ },
    run: (goal) => ({
      program: "/usr/lib/apt/apt-helper",
      args: [
        ...["-o", `Acquire::http::Proxy=${proxyUrl("socks5h", goal)}`, "-o", "Acquire::Retries=0"],
        ...["download-file", `http://${goal.host}/`, "{dir}/page"],
      ],
    }),
    hasLogin: true,
  },
  {
    name: "msmtp",
    setting: "proxy_host, proxy_port",
    version: { program: "msmtp", args: ["--version"], match: /version ([\d.]+)/ },
    run: ({ port, host }) => ({
      program: "msmtp",
      args: [
        ...["-C", "/dev/null", `--host=${host}`, "--port=80", "--timeout=20", "--from=a@b.i2p"],
        ...[`--proxy-host=127.0.0.1`, `--proxy-port=${port}`, "c@d.i2p"],
      ],
      stdin: "Subject: x\n\nx\n",
    }),
    hasLogin: false,
  },
  {
    name: "s-nail",
    setting: "socks-proxy",
    version: { program: "s-nail", args: ["--version"], match: /v([\d.]+)/ },
    run: (goal) => ({
      program: "s-nail",
      args: [
        ...["-:/", "-S", "v15-compat", "-S", `socks-proxy=${proxyUrl("socks5", goal)}`, "-S", "sendwait"],
        ...["-S", `mta=smtp://${goal.host}:80`, "-S", "smtp-auth=none", "-S", "from=a@b.i2p", "-s", "x", "c@d.i2p"],
      ],
      stdin: "x\n",
    }),
    hasLogin: true,
  },
  {
    name: "mosquitto",
    setting: "--proxy socks5h://",
    version: { ...DEBIAN, args: [...DEBIAN.args, "mosquitto-clients"] },
    run: (goal) => ({
      program: "mosquitto_pub",
      args: ["-h", goal.host, "-p", "80", "-t", "a", "-m", "b", "--proxy", proxyUrl("socks5h", goal)],
    }),
    hasLogin: true,
  },
  {
    name: "Links",
    setting: "-socks-proxy -only-proxies 1",
    version: { program: "links2", args: ["-version"], match: /Links ([\d.]+)/ },
    run: ({ port, host, login }) => ({
      program: "links2",
      args: [
        ...["-source", "-only-proxies", "1", "-retries", "1", "-receive-timeout", "20"],
        ...["-socks-proxy", `${login ? `${login.user}@` : ""}127.0.0.1:${port}`, `http://${host}/`],
      ],
    }),
    hasLogin: true,
  },
  {
    name: "Newsboat",
    setting: "use-proxy, proxy-type socks5h",
    version: { program: "newsboat", args: ["-V"], match: /Newsboat r?([\d.]+)/i },
    run: ({ port, host, login }) => ({
      program: "newsboat",
      args: [
        ...["-u", "{dir}/urls", "-C", "{dir}/config", "-c", "{dir}/cache", "-d", "{dir}/log", "-l", "2"],
        ...["-x", "reload"],
      ],
      files: {
        urls: `http://${host}/\n`,
        config: `use-proxy yes\nproxy-type socks5h\nproxy "127.0.0.1:${port}"\ndownload-timeout 20\n${
          login ? `proxy-auth "${login.user}:${login.password}"\n` : ""
        }`,
      },
    }),
    hasLogin: true,
  },
  {
    name: "HTTPie",
    setting: "--proxy http:socks5h://",
    version: { program: "http", args: ["--version"] },
    run: (goal) => ({
      program: "http",
      args: [
        "--ignore-stdin",
        "--timeout",
        "20",
        "--proxy",
        `http:${proxyUrl("socks5h", goal)}`,
        `http://${goal.host}/`,
      ],
      env: { PYTHONPATH: "" },
    }),
    hasLogin: true,
  },
  {
    name: "pip",
    setting: "--proxy socks5h://, with PySocks",
    version: { program: "python3", args: ["-m", "pip", "--version"], match: /pip ([\d.]+)/ },
    run: (goal) => ({
      program: "python3",
      args: [
        ...["-m", "pip", "download", "--disable-pip-version-check", "--no-cache-dir", "--timeout", "10"],
        ...["--proxy", proxyUrl("socks5h", goal), "--trusted-host", goal.host, "-i", `http://${goal.host}/`, "x"],
      ],
    }),
    hasLogin: true,
  },
  {
    name: "npm",
    setting: "--proxy socks5h://",
    version: { program: "npm", args: ["--version"] },
    run: (goal) => ({
      program: "bash",
      args: [
        "-c",
        `npm view x --registry http://${goal.host}/ --proxy ${proxyUrl("socks5h", goal)} --fetch-retries 0 \\
          --fetch-timeout 20000 --no-update-notifier 2>&1 | grep -v ' log '; exit \${PIPESTATUS[0]}`,
      ],
    }),
    hasLogin: true,
  },
  {
    name: "cargo",
    setting: "CARGO_HTTP_PROXY=socks5h://",
    version: { program: "cargo", args: ["--version"], match: /cargo ([\d.]+)/ },
    run: (goal) => ({
      program: "cargo",
      args: ["search", "--index", `sparse+http://${goal.host}/`, "x"],
      env: { CARGO_HTTP_PROXY: proxyUrl("socks5h", goal), CARGO_HOME: "{dir}" },
    }),
    hasLogin: true,
  },
  {
    name: "OfflineIMAP",
    setting: "proxy = SOCKS5:HOST:PORT",
    version: { program: "offlineimap", args: ["--version"], match: /([\d.]+)/ },
    run: ({ port, host }) => ({
      program: "bash",
      args: ["-c", "offlineimap -c {dir}/rc -o -u basic 2>&1 | grep ^ERROR; exit ${PIPESTATUS[0]}"],
      files: {
        rc: "[general]\naccounts = a\nmetadata = {dir}/meta\nsocktimeout = 20\n[Account a]\nlocalrepository = l\n" +
          `remoterepository = r\nproxy = SOCKS5:127.0.0.1:${port}\n[Repository l]\ntype = Maildir\n` +
          "localfolders = {dir}/mail\n[Repository r]\ntype = IMAP\nssl = no\nstarttls = no\nremoteport = 80\n" +
          `remotehost = ${host}\nremoteuser = u\nremotepass = p\n`,
      },
      env: { PYTHONPATH: "" },
    }),
    hasLogin: false,
  },
  {
    name: "monero-wallet-cli",
    setting: "--proxy",
    version: { program: "monero-wallet-cli", args: ["--version"], match: /v([\d.]+\d)/ },
    run: ({ port, host }) => ({
      program: "monero-wallet-cli",
      args: [
        ...["--stagenet", "--generate-new-wallet", "{dir}/w", "--password", "x", "--mnemonic-language", "English"],
        ...["--log-file", "{dir}/log", "--proxy", `127.0.0.1:${port}`, "--daemon-address", `${host}:80`],
        ...["--trusted-daemon", "--use-english-language-names", "--command", "refresh"],
      ],
      stdin: "n\n",
    }),
    hasLogin: false,
  },
  {
    name: "HAProxy",
    setting: "server … socks4",
    version: { program: "haproxy", args: ["-v"], match: /version ([\d.]+)/ },
    run: ({ port, host }) => ({
      program: "bash",
      args: ["-c", "haproxy -db -f {dir}/h.conf 2>&1 | sed 's/([0-9]*) *//'; exit ${PIPESTATUS[0]}"],
      files: {
        "h.conf": `defaults\n mode tcp\n timeout connect 20s\n timeout client 20s\n timeout server 20s\nlisten l\n` +
          ` bind 127.0.0.1:{free}\n server s ${host}:80 socks4 127.0.0.1:${port}\n`,
      },
    }),
    hasLogin: false,
  },
  ...["TCPSocket", "Net::HTTP"].map((name): TableClient => ({
    name: `Ruby's socksify, ${name}`,
    setting: name === "TCPSocket" ? "Socksify.proxy" : "Net::HTTP.SOCKSProxy",
    version: { ...DEBIAN, args: [...DEBIAN.args, "ruby-socksify"] },
    run: ({ port, host, login }) => ({
      program: "ruby",
      args: [
        ...["-rsocksify/http", "-e"],
        `begin; ${
          login ? `TCPSocket.socks_username="${login.user}"; TCPSocket.socks_password="${login.password}"; ` : ""
        }${
          name === "TCPSocket"
            ? `Socksify.proxy("127.0.0.1",${port}){s=TCPSocket.new("${host}",80); s.write("GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n"); puts s.read}`
            : `puts Net::HTTP.SOCKSProxy("127.0.0.1",${port}).get(URI("http://${host}/"))`
        }; rescue => e; abort e.message; end`,
      ],
    }),
    hasLogin: true,
  })),
  {
    name: "Ruby's Net::HTTP",
    setting: "none: it has no SOCKS",
    version: { program: "ruby", args: ["--version"], match: /([\d.]+)/ },
    run: (goal) => ({
      program: "ruby",
      args: ["-rnet/http", "-e", `puts Net::HTTP.get(URI("http://${goal.host}/"))`],
      env: { http_proxy: proxyUrl("socks5h", goal) },
    }),
    hasLogin: false,
  },
  {
    name: "LWP (Perl)",
    setting: "LWP::Protocol::socks, socks://",
    version: { ...DEBIAN, args: [...DEBIAN.args, "liblwp-protocol-socks-perl"] },
    run: (goal) => ({
      program: "perl",
      args: [
        ...["-MLWP::UserAgent", "-e"],
        `my $u=LWP::UserAgent->new(timeout=>20); $u->proxy(["http"]=>"${
          proxyUrl("socks", goal)
        }"); my $r=$u->get("http://${goal.host}/"); print $r->is_success ? $r->decoded_content : die $r->status_line."\n";`,
      ],
    }),
    hasLogin: false,
  },
  {
    name: "Qt 5",
    setting: "QNetworkProxy, Socks5Proxy",
    version: { program: "env", args: [...SYSTEM_PYTHON, "from PyQt5.QtCore import qVersion as v; print(v())"] },
    run: ({ port, host, login }) => ({
      program: "env",
      args: [
        ...SYSTEM_PYTHON,
        `import sys
from PyQt5.QtCore import QCoreApplication as A, QUrl, QTimer
from PyQt5.QtNetwork import *
a=A([]); m=QNetworkAccessManager(); m.setProxy(QNetworkProxy(QNetworkProxy.Socks5Proxy,"127.0.0.1",${port}${
          login ? `,"${login.user}","${login.password}"` : ""
        }))
r=m.get(QNetworkRequest(QUrl("http://${host}/"))); r.finished.connect(a.quit); QTimer.singleShot(20000,a.quit); a.exec_()
print(bytes(r.readAll()).decode())
if r.error(): sys.exit(r.errorString())`,
      ],
      env: { PYTHONPATH: "" },
    }),
    hasLogin: true,
  },
  {
    name: "GLib (GSocketClient)",
    setting: "GSimpleProxyResolver, socks5://",
    version: {
      program: "env",
      args: [
        ...SYSTEM_PYTHON,
        "from gi.repository import GLib as g; print(g.MAJOR_VERSION,g.MINOR_VERSION,g.MICRO_VERSION,sep='.')",
      ],
    },
    run: (goal) => ({
      program: "env",
      args: [
        ...SYSTEM_PYTHON,
        `from gi.repository import Gio
c=Gio.SocketClient.new(); c.set_timeout(20); c.set_proxy_resolver(Gio.SimpleProxyResolver.new("${
          proxyUrl("socks5", goal)
        }",None))
s=c.connect_to_host("${goal.host}",80,None); s.get_output_stream().write_all(b"GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n",None)
print(s.get_input_stream().read_bytes(65536,None).get_data().decode()); print(s.get_input_stream().read_bytes(65536,None).get_data().decode())`,
      ],
      env: { PYTHONPATH: "" },
    }),
    hasLogin: true,
  },
  {
    name: "libtorrent",
    setting: "proxy_type socks5, proxy_hostnames",
    version: { program: "env", args: [...SYSTEM_PYTHON, "import libtorrent as l; print(l.__version__)"] },
    run: ({ port, host, login }) => ({
      program: "env",
      args: [
        ...SYSTEM_PYTHON,
        `import libtorrent as l,time,sys
s=l.session({"proxy_type":${login ? 3 : 2},"proxy_hostname":"127.0.0.1","proxy_port":${port},"proxy_hostnames":True,${
          login ? `"proxy_username":"${login.user}","proxy_password":"${login.password}",` : ""
        }"listen_interfaces":"127.0.0.1:0","enable_dht":False,"enable_lsd":False,"enable_upnp":False,"enable_natpmp":False,"alert_mask":l.alert.category_t.tracker_notification|l.alert.category_t.error_notification})
p=l.add_torrent_params(); p.info_hashes=l.info_hash_t(l.sha1_hash(b"x"*20)); p.save_path="{dir}"; p.trackers=["http://${host}/announce"]; s.add_torrent(p)
end=time.time()+12
while time.time()<end:
  s.wait_for_alert(500)
  for a in s.pop_alerts():
    if "error" in a.what(): sys.exit(a.error.message())`,
      ],
      env: { PYTHONPATH: "" },
    }),
    hasLogin: true,
  },
  {
    name: "rclone",
    setting: "HTTP_PROXY=socks5://",
    version: { program: "rclone", args: ["version"], match: /v([\w.-]+)/ },
    run: (goal) => ({
      program: "rclone",
      args: [
        "--config",
        "/dev/null",
        "--retries",
        "1",
        "--low-level-retries",
        "1",
        "--timeout",
        "20s",
        "cat",
        ":http:",
        "--http-url",
        `http://${goal.host}/`,
        "-q",
      ],
      env: { HTTP_PROXY: proxyUrl("socks5", goal) },
    }),
    hasLogin: true,
  },
  {
    name: "yt-dlp",
    setting: "--proxy socks5://",
    version: { program: "yt-dlp", args: ["--version"] },
    run: (goal) => ({
      program: "yt-dlp",
      args: [
        "--ignore-config",
        "--no-cache-dir",
        "--retries",
        "0",
        "--socket-timeout",
        "20",
        "--proxy",
        proxyUrl("socks5", goal),
        "--force-generic-extractor",
        "-q",
        "--dump-pages",
        `http://${goal.host}/`,
      ],
    }),
    hasLogin: true,
  },
  {
    name: "Privoxy with curl",
    setting: "forward-socks5 /",
    version: { program: "privoxy", args: ["--version"], match: /([\d.]+)/ },
    run: ({ port, host, login }) => ({
      program: "bash",
      args: [
        "-c",
        `privoxy --no-daemon '{dir}/p.conf' & pid=$!; ${UP}; curl ${
          CURL_TIMES.join(" ")
        } --noproxy '' -x "http://127.0.0.1:$(cat '{dir}/port')" http://${host}/; code=$?; kill $pid; exit $code`,
      ],
      files: {
        "p.conf": `confdir /etc/privoxy\nlisten-address 127.0.0.1:{free}\nforward-socks5 / ${
          login ? `${login.user}:${login.password}@` : ""
        }127.0.0.1:${port} .\n`,
        "port": "{free}",
      },
    }),
    hasLogin: true,
  },
  {
    name: "tinyproxy with curl",
    setting: "Upstream socks5",
    version: { program: "tinyproxy", args: ["-v"], match: /([\d.]+)/ },
    run: ({ port, host, login }) => ({
      program: "bash",
      args: [
        "-c",
        `tinyproxy -d -c '{dir}/t.conf' >/dev/null & pid=$!; ${UP}; curl ${
          CURL_TIMES.join(" ")
        } --noproxy '' -x "http://127.0.0.1:$(cat '{dir}/port')" http://${host}/; code=$?; kill $pid; exit $code`,
      ],
      files: {
        "t.conf": `Port {free}\nListen 127.0.0.1\nAllow 127.0.0.1\nUpstream socks5 ${
          login ? `${login.user}:${login.password}@` : ""
        }127.0.0.1:${port}\n`,
        "port": "{free}",
      },
    }),
    hasLogin: true,
  },
  {
    name: "PHP's curl",
    setting: "CURLPROXY_SOCKS5_HOSTNAME",
    version: { program: "php", args: ["-r", "curl_init() or exit(1); echo PHP_VERSION;"] },
    run: ({ port, host, login }) => ({
      program: "php",
      args: [
        "-r",
        `$c=curl_init("http://${host}/"); curl_setopt_array($c,[CURLOPT_PROXY=>"127.0.0.1:${port}",CURLOPT_PROXYTYPE=>CURLPROXY_SOCKS5_HOSTNAME,CURLOPT_NOPROXY=>"",CURLOPT_TIMEOUT=>20${
          login ? `,CURLOPT_PROXYUSERPWD=>"${login.user}:${login.password}"` : ""
        }]); if(!curl_exec($c)){fwrite(STDERR,curl_error($c)."\\n");exit(1);}`,
      ],
    }),
    hasLogin: true,
  },
  {
    name: "Deno's fetch",
    setting: "Deno.createHttpClient, socks5h://",
    version: { program: "deno", args: ["--version"], match: /deno ([\d.]+)/ },
    run: (goal) => ({
      program: "deno",
      args: [
        "eval",
        `const client=Deno.createHttpClient({proxy:{url:"${proxyUrl("socks5h", { ...goal, login: undefined })}"${
          goal.login ? `,basicAuth:{username:"${goal.login.user}",password:"${goal.login.password}"}` : ""
        }}});console.log(await(await fetch("http://${goal.host}/",{client})).text())`,
      ],
    }),
    hasLogin: true,
  },
  python(
    "requests",
    "socks5h://",
    (goal) =>
      `import requests as r; s=r.Session(); s.trust_env=False; u="${proxyUrl("socks5h", goal)}"
print(s.get("http://${goal.host}/",proxies={"http":u,"https":u},timeout=20).text)`,
  ),
  python("urllib3", "SOCKSProxyManager, socks5h://", (goal) =>
    `from urllib3.contrib.socks import SOCKSProxyManager as P
print(P("${proxyUrl("socks5h", goal)}",timeout=20).request("GET","http://${goal.host}/").data.decode())`),
  python(
    "PySocks",
    "rdns=True",
    ({ port, host, login }) =>
      `import socks; s=socks.socksocket(); s.settimeout(20); s.set_proxy(socks.SOCKS5,"127.0.0.1",${port},True${
        login ? `,"${login.user}","${login.password}"` : ""
      })
s.connect(("${host}",80)); s.sendall(b"GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n"); print(s.makefile().read())`,
  ),
  python(
    "httpx",
    "socks5:// or socks5h://",
    (goal) =>
      `import httpx; print(httpx.Client(proxy="${
        proxyUrl("socks5h", goal)
      }",timeout=20,trust_env=False).get("http://${goal.host}/").text)`,
  ),
  python("aiohttp-socks", "socks5://", (goal) =>
    `import asyncio,aiohttp; from aiohttp_socks import ProxyConnector as C
async def m():
  async with aiohttp.ClientSession(connector=C.from_url("${proxyUrl("socks5", goal)}")) as s:
    async with s.get("http://${goal.host}/") as r: print(await r.text())
asyncio.run(m())`),
  python(
    "python-socks",
    "socks5://",
    (goal) =>
      `from python_socks.sync import Proxy; s=Proxy.from_url("${
        proxyUrl("socks5", goal)
      }").connect("${goal.host}",80,timeout=20)
s.sendall(b"GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n"); print(s.makefile().read())`,
  ),
  python(
    "websockets",
    'proxy="socks5h://…"',
    (goal) =>
      `from websockets.sync.client import connect; connect("ws://${goal.host}/",proxy="${
        proxyUrl("socks5h", goal)
      }",open_timeout=20)`,
  ),
  python(
    "websocket-client",
    'proxy_type="socks5h"',
    ({ port, host, login }) =>
      `import websocket; websocket.create_connection("ws://${host}/",timeout=20,http_proxy_host="127.0.0.1",http_proxy_port=${port},proxy_type="socks5h"${
        login ? `,http_proxy_auth=("${login.user}","${login.password}")` : ""
      })`,
  ),
  python(
    "pycurl",
    'PROXY socks5h://, NOPROXY ""',
    (goal) =>
      `import pycurl,sys; c=pycurl.Curl(); c.setopt(c.URL,"http://${goal.host}/"); c.setopt(c.PROXY,"${
        proxyUrl("socks5h", goal)
      }"); c.setopt(c.NOPROXY,""); c.setopt(c.TIMEOUT,20); c.perform()`,
  ),
  python(
    "aiorpcX",
    "SOCKSProxy, SOCKS5, as Electrum has it",
    ({ port, host, login }) =>
      `import asyncio; from aiorpcx import SOCKSProxy as P, SOCKS5, SOCKSUserAuth as U, NetAddress as N
async def m():
  p=P(N("127.0.0.1",${port}),SOCKS5,${login ? `U("${login.user}","${login.password}")` : "None"})
  t,x=await p.create_connection(asyncio.Protocol,"${host}",80); t.close()
asyncio.run(asyncio.wait_for(m(),20))`,
  ),
  python(
    "txtorcon",
    "TorSocksEndpoint, for Twisted",
    ({ port, host }) =>
      `from twisted.internet import reactor,task,protocol,endpoints as e; from txtorcon.socks import TorSocksEndpoint as T
class H(protocol.Protocol):
  def connectionMade(self): self.transport.write(b"GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n")
  def dataReceived(self,d): print(d.decode())
  def connectionLost(self,r): reactor.callLater(0,reactor.stop)
def bad(f): import sys; print(repr(f.value),file=sys.stderr); reactor.stop()
T(e.TCP4ClientEndpoint(reactor,"127.0.0.1",${port}),"${host}",80).connect(protocol.Factory.forProtocol(H)).addErrback(bad)
reactor.callLater(20,reactor.stop); reactor.run()`,
    { hasLogin: false },
  ),
  python(
    "niquests",
    "socks5h://",
    (goal) =>
      `import niquests as r; s=r.Session(); s.trust_env=False; u="${proxyUrl("socks5h", goal)}"
print(s.get("http://${goal.host}/",proxies={"http":u,"https":u},timeout=20).text)`,
  ),
  python(
    "curl_cffi",
    'proxy="socks5h://…"',
    (goal) =>
      `from curl_cffi import requests as r; print(r.get("http://${goal.host}/",proxy="${
        proxyUrl("socks5h", goal)
      }",timeout=20).text)`,
  ),
  {
    name: "urllib (Python)",
    setting: "none: it has no SOCKS",
    version: { program: "python3", args: ["--version"], match: /([\d.]+)/ },
    run: (goal) => ({
      program: "python3",
      args: ["-c", `import urllib.request as u; print(u.urlopen("http://${goal.host}/",timeout=20).read())`],
      env: { http_proxy: proxyUrl("socks5h", goal) },
    }),
    hasLogin: false,
  },
  node(
    "socks",
    "type: 5, the name as destination.host",
    ({ port, host, login }) =>
      `import {SocksClient as S} from "socks"; const {socket}=await S.createConnection({command:"connect",proxy:{host:"127.0.0.1",port:${port},type:5${
        login ? `,userId:"${login.user}",password:"${login.password}"` : ""
      }},destination:{host:"${host}",port:80}}); socket.pipe(process.stdout); socket.write("GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n");`,
  ),
  node(
    "socks-proxy-agent",
    "socks5h://",
    (goal) =>
      `import {SocksProxyAgent as A} from "socks-proxy-agent"; import http from "node:http"; http.get("http://${goal.host}/",{agent:new A("${
        proxyUrl("socks5h", goal)
      }")},r=>r.pipe(process.stdout));`,
  ),
  node(
    "proxy-agent",
    "http_proxy=socks5h://",
    (goal) =>
      `import {ProxyAgent as A} from "proxy-agent"; import http from "node:http"; http.get("http://${goal.host}/",{agent:new A()},r=>r.pipe(process.stdout));`,
    (goal: Goal) => ({ http_proxy: proxyUrl("socks5h", goal) }),
  ),
  node(
    "axios",
    "httpAgent of socks-proxy-agent, proxy: false",
    (goal) =>
      `import axios from "axios"; import {SocksProxyAgent as A} from "socks-proxy-agent"; try{console.log((await axios.get("http://${goal.host}/",{httpAgent:new A("${
        proxyUrl("socks5h", goal)
      }"),proxy:false})).data)}catch(e){console.error(e.message);process.exit(1)}`,
  ),
  node(
    "fetch-socks",
    "type: 5",
    ({ port, host, login }) =>
      `import {socksDispatcher as d} from "fetch-socks"; import {fetch} from "undici"; const dispatcher=d({type:5,host:"127.0.0.1",port:${port}${
        login ? `,userId:"${login.user}",password:"${login.password}"` : ""
      }}); console.log(await(await fetch("http://${host}/",{dispatcher})).text());`,
  ),
  node(
    "undici",
    "Socks5ProxyAgent, socks5://",
    (goal) =>
      `import {fetch,Socks5ProxyAgent as A} from "undici"; console.log(await(await fetch("http://${goal.host}/",{dispatcher:new A("${
        proxyUrl("socks5", goal)
      }")})).text());`,
  ),
  node(
    "nodemailer",
    "proxy: socks5://, and the module socks",
    (goal) =>
      `import m from "nodemailer"; import socks from "socks"; const t=m.createTransport({host:"${goal.host}",port:80,connectionTimeout:20000,greetingTimeout:5000,proxy:"${
        proxyUrl("socks5", goal)
      }"}); t.set("proxy_socks_module",socks); t.verify().catch(e=>{console.error(e.message);process.exit(1)});`,
  ),
  node(
    "imapflow",
    "proxy: socks5://",
    (goal) =>
      `import {ImapFlow as I} from "imapflow"; const c=new I({host:"${goal.host}",port:80,secure:false,logger:false,greetingTimeout:5000,proxy:"${
        proxyUrl("socks5", goal)
      }",auth:{user:"u",pass:"p"}}); c.on("error",()=>{}); c.connect().catch(e=>{console.error(e.message);process.exit(1)});`,
  ),
  node(
    "irc-framework",
    "socks: {host, port}",
    ({ port, host, login }) =>
      `import I from "irc-framework"; const c=new I.Client(); c.on("socket close",e=>{console.error("Error: "+(e?.message??e));process.exit(1)}); setTimeout(()=>process.exit(2),8000); c.connect({host:"${host}",port:80,nick:"x",auto_reconnect:false,socks:{host:"127.0.0.1",port:${port}${
        login ? `,user:"${login.user}",pass:"${login.password}"` : ""
      }}});`,
  ),
  goProgram("Go's net/http", "HTTP_PROXY=socks5:// or socks5h://", GO_HTTP, "HTTP_PROXY"),
  goProgram("x/net/proxy (Go)", "ALL_PROXY=socks5:// or socks5h://", GO_DIALER, "ALL_PROXY"),
  goProgram("fasthttp (Go)", "FasthttpSocksDialer, socks5://", GO_FASTHTTP, "PROXY"),
  rust(
    "reqwest",
    "Proxy::all, socks5h://, with a TLS feature",
    "socks5h",
    "reqwest::blocking::Client::builder().proxy(reqwest::Proxy::all(proxy)?).build()?.get(url).send()?.text()?",
  ),
  rust(
    "ureq",
    "Proxy::new, socks5h://",
    "socks5h",
    "ureq::Agent::from(ureq::Agent::config_builder().proxy(Some(ureq::Proxy::new(proxy)?)).build())" +
      ".get(url).call()?.body_mut().read_to_string()?",
  ),
  rust(
    "tokio-socks",
    "Socks5Stream::connect, the name in the pair",
    "",
    `match login {
        Some(user) => tokio_socks::tcp::Socks5Stream::connect_with_password(proxy.as_str(), (host.as_str(), 80), &user, &words[4]).await?,
        None => tokio_socks::tcp::Socks5Stream::connect(proxy.as_str(), (host.as_str(), 80)).await?,
    }`,
    true,
  ),
  rust(
    "fast-socks5",
    "Socks5Stream::connect, the name as host",
    "",
    `match login {
        Some(user) => fast_socks5::client::Socks5Stream::connect_with_password(proxy, host, 80, user, words[4].clone(), Default::default()).await?,
        None => fast_socks5::client::Socks5Stream::connect(proxy, host, 80, Default::default()).await?,
    }`,
    true,
  ),
  java(
    "Java's Socket",
    "InetSocketAddress.createUnresolved",
    undefined,
    ({ port, host }) =>
      `var s = new java.net.Socket(new java.net.Proxy(java.net.Proxy.Type.SOCKS, new java.net.InetSocketAddress("127.0.0.1", ${port}))); s.setSoTimeout(20000); s.connect(java.net.InetSocketAddress.createUnresolved("${host}", 80)); s.getOutputStream().write("GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n".getBytes()); s.getInputStream().transferTo(System.out);`,
  ),
  java(
    "Java's URLConnection",
    "Proxy.Type.SOCKS",
    undefined,
    ({ port, host }) =>
      `var c = java.net.URI.create("http://${host}/").toURL().openConnection(new java.net.Proxy(java.net.Proxy.Type.SOCKS, new java.net.InetSocketAddress("127.0.0.1", ${port}))); c.setReadTimeout(20000); ${JAVA_READ}`,
  ),
  java(
    "Java's HttpClient",
    "none: it has no SOCKS",
    undefined,
    ({ port, host }) =>
      `System.setProperty("socksProxyHost", "127.0.0.1"); System.setProperty("socksProxyPort", "${port}"); System.out.println(java.net.http.HttpClient.newHttpClient().send(java.net.http.HttpRequest.newBuilder(java.net.URI.create("http://${host}/")).build(), java.net.http.HttpResponse.BodyHandlers.ofString()).body());`,
  ),
  java(
    "OkHttp",
    "Proxy.Type.SOCKS",
    "okhttp-jvm",
    ({ port, host }) =>
      `var k = new okhttp3.OkHttpClient.Builder().proxy(new java.net.Proxy(java.net.Proxy.Type.SOCKS, new java.net.InetSocketAddress("127.0.0.1", ${port}))).connectTimeout(java.time.Duration.ofSeconds(20)).build(); try (var r = k.newCall(new okhttp3.Request.Builder().url("http://${host}/").build()).execute()) { System.out.println(r.body().string()); } System.exit(0);`,
  ),
  java(
    "jsoup",
    "Proxy.Type.SOCKS",
    "jsoup",
    ({ port, host }) =>
      `System.out.println(org.jsoup.Jsoup.connect("http://${host}/").proxy(new java.net.Proxy(java.net.Proxy.Type.SOCKS, new java.net.InetSocketAddress("127.0.0.1", ${port}))).timeout(20000).get().outerHtml());`,
  ),
  java(
    "Netty",
    "Socks5ProxyHandler, NoopAddressResolverGroup",
    "netty-handler-proxy",
    ({ port, host, login }) =>
      `var g = new io.netty.channel.nio.NioEventLoopGroup(1); try { var c = new io.netty.bootstrap.Bootstrap().group(g).channel(io.netty.channel.socket.nio.NioSocketChannel.class).resolver(io.netty.resolver.NoopAddressResolverGroup.INSTANCE).handler(new io.netty.channel.ChannelInitializer<io.netty.channel.Channel>() { protected void initChannel(io.netty.channel.Channel c) { c.pipeline().addLast(new io.netty.handler.proxy.Socks5ProxyHandler(new java.net.InetSocketAddress("127.0.0.1", ${port})${
        login ? `, "${login.user}", "${login.password}"` : ""
      })); c.pipeline().addLast(new io.netty.channel.SimpleChannelInboundHandler<io.netty.buffer.ByteBuf>() { protected void channelRead0(io.netty.channel.ChannelHandlerContext x, io.netty.buffer.ByteBuf b) { System.out.println(b.toString(java.nio.charset.StandardCharsets.UTF_8)); } public void exceptionCaught(io.netty.channel.ChannelHandlerContext x, Throwable t) { x.close(); } }); } }).connect(java.net.InetSocketAddress.createUnresolved("${host}", 80)).sync().channel(); c.writeAndFlush(io.netty.buffer.Unpooled.copiedBuffer("GET / HTTP/1.0\\r\\nHost: site.i2p\\r\\n\\r\\n", java.nio.charset.StandardCharsets.US_ASCII)).sync(); c.closeFuture().await(20000); } finally { g.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS).await(3000); }`,
    true,
  ),
  java(
    "Apache HttpClient",
    "setSocksProxyAddress",
    "httpclient5",
    ({ port, host }) =>
      `var m = org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder.create().setDefaultSocketConfig(org.apache.hc.core5.http.io.SocketConfig.custom().setSocksProxyAddress(new java.net.InetSocketAddress("127.0.0.1", ${port})).build()).build(); try (var k = org.apache.hc.client5.http.impl.classic.HttpClients.custom().setConnectionManager(m).build()) { k.execute(new org.apache.hc.client5.http.classic.methods.HttpGet("http://${host}/"), r -> { r.getEntity().getContent().transferTo(System.out); return null; }); }`,
  ),
];

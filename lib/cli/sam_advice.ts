import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { SamError } from "../sam/error.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/** Turns a failure of the SAM bridge into an error that says what to do. */
export function adviseOn(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof SamError)) return error;
  const where = formatEndpoint(endpoint);
  const { failure, phase, result } = error;
  if (phase === "connect") {
    return new CliError(ExitCode.samUnreachable, `Nothing answers at ${where}: no SAM bridge (${rootCause(error)})`, [
      "Is the router running?",
      "i2pd has SAM on unless i2pd.conf says [sam] enabled = false",
      "Java I2P: start the SAM application bridge at http://127.0.0.1:7657/configclients",
    ]);
  }
  if (phase === "hello" && failure !== "refused") {
    const what = {
      unreachable: "is gone",
      silent: "does not say anything",
      closed: "closes the connection",
      garbled: "speaks something else",
    };
    return new CliError(ExitCode.samUnreachable, `What listens at ${where} is no SAM bridge: it ${what[failure]}`, [
      "The bridge's port is 7656 unless it was changed; 4444 is the HTTP proxy, 4447 is SOCKS, 7657 is the console",
    ]);
  }
  if (phase === "hello") {
    return new CliError(
      ExitCode.samUnreachable,
      error.fullMessage,
      result === "NOVERSION"
        ? ["This program needs SAM 3.1: the router is too old"]
        : ["With authorization switched on, the bridge wants --sam-user and --sam-password-file"],
    );
  }
  if (phase === "session" && failure === "closed") {
    return new CliError(ExitCode.samUnreachable, `${error.message} before tunnels were ready`, ["Was it stopped?"]);
  }
  return new CliError(result === "TIMEOUT" ? ExitCode.notReady : ExitCode.failure, error.fullMessage);
}

function rootCause({ cause, failure }: SamError): string {
  if (failure === "silent") return "it does not accept connections";
  return cause instanceof Deno.errors.ConnectionRefused ? "connection refused" : String(cause);
}

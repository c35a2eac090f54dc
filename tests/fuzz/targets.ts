import { address } from "./address.ts";
import { datagrams } from "./datagrams.ts";
import { encodings } from "./encodings.ts";
import { configFile } from "./config_file.ts";
import { configSettings } from "./config_settings.ts";
import { configText } from "./config_text.ts";
import { configValues } from "./config_values.ts";
import { createFuzzer, type Fuzzer } from "./engine.ts";
import { loginBook } from "./login_book.ts";
import { keyBytes, keyFile } from "./private_key.ts";
import { samDialogue } from "./sam_dialogue.ts";
import { samLines } from "./sam_lines.ts";
import { samCommand, samMessage } from "./sam_message.ts";
import { socksHandshake } from "./socks_handshake.ts";
import { socksRequest } from "./socks_request.ts";

/** All that is fuzzed. */
export const FUZZERS: readonly Fuzzer[] = [
  createFuzzer(socksHandshake),
  createFuzzer(socksRequest),
  createFuzzer(samMessage),
  createFuzzer(samCommand),
  createFuzzer(samLines),
  createFuzzer(samDialogue),
  createFuzzer(address),
  createFuzzer(encodings),
  createFuzzer(configValues),
  createFuzzer(configSettings),
  createFuzzer(configFile),
  createFuzzer(configText),
  createFuzzer(keyFile),
  createFuzzer(keyBytes),
  createFuzzer(loginBook),
  createFuzzer(datagrams),
];

import { operandsOf, type Place, VALUE_FLAGS, valueOf } from "./completion_model.ts";
import { summaryOf } from "./help.ts";
import { OPTIONS, type OptionSpec, VERBS } from "../config/options.ts";

/** A script for fish 3. */
export function fishCompletions(): string {
  return `# Completions of i2p-socks for fish: i2p-socks completions fish | source

# The words in front of the cursor that are no options and no values of options: the verb and its operands.
function __i2p_socks_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word ${VALUE_FLAGS.join(" ")}
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

function __i2p_socks_verb
    set -l words (__i2p_socks_words)
    set -q words[1]; or set words serve
    contains -- $words[1] $argv
end

function __i2p_socks_operand
    set -l words (__i2p_socks_words)
    test (count $words) = $argv[2]; and test "$words[1]" = $argv[1]
end

function __i2p_socks_list
    set -l token (string replace -r '^--[^=]*=' '' -- (commandline -ct))
    set -l done (string match -r '^.*,' -- $token)
    printf '%s\\n' "$done"$argv
end

function __i2p_socks_identities
    i2p-socks keys list 2>/dev/null </dev/null | string replace -r ' .*' ''
end

complete -c i2p-socks -f
${
    VERBS.map((verb) =>
      `complete -c i2p-socks -n 'test -z (__i2p_socks_words | string collect)' -a ${verb} -d ${quote(summaryOf(verb))}`
    ).join("\n")
  }
${
    VERBS.flatMap((verb) =>
      operandsOf(verb).map((place, i) =>
        `complete -c i2p-socks -n '__i2p_socks_operand ${verb} ${i + 1}' ${argumentsOf(place)}`
      )
    ).join("\n")
  }
${OPTIONS.map(optionLine).join("\n")}`;
}

function optionLine(option: OptionSpec): string {
  const place = valueOf(option);
  const flag = option.name.length === 1 ? `-s ${option.name}` : `-l ${option.name}`;
  const value = place === undefined ? "" : ` -r ${argumentsOf(place)}`;
  return `complete -c i2p-socks -n '__i2p_socks_verb ${option.verbs.join(" ")}' ${flag}${value} -d ${
    quote(option.help)
  }`;
}

/** What is offered at a place, as arguments of `complete`. */
function argumentsOf(place: Place): string {
  switch (place.kind) {
    case "words":
      return `-f -a '${place.words.join(" ")}'`;
    case "list":
      return `-f -a '(__i2p_socks_list ${place.words.join(" ")})'`;
    case "file":
      return "-F";
    case "folder":
      return "-f -a '(__fish_complete_directories)'";
    case "identity":
      return "-f -a '(__i2p_socks_identities)'";
    case "text":
      return "-f";
  }
}

function quote(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}

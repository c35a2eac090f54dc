# Completions of i2p-socks for fish 3: i2p-socks completions fish | source
function __i2p_socks
    set -l words (commandline -opc) (commandline -ct)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l found ($program complete -- $words[2..-1] 2>/dev/null </dev/null)
    set -l path (string replace -r '^--[^=]*=' '' -- $words[-1])
    set -l prefix (string match -r '^--[^=]*=' -- $words[-1])
    switch "$found[1]"
        case :file
            printf "$prefix%s\n" (__fish_complete_path $path)
        case :folder
            printf "$prefix%s\n" (__fish_complete_directories $path '')
        case '*'
            printf '%s\n' $found[2..-1]
    end
end
complete -c i2p-socks -f -a '(__i2p_socks)'

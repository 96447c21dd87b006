# Completion of kin for bash.

_kin() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'pickle --help --version' -- "$word")
        return
    fi
    [[ ${COMP_WORDS[1]} == pickle ]] || return
    [[ $word == '=' ]] && word=''
    [[ $before == '=' ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
    case $before in
        --from) mapfile -t COMPREPLY < <(compgen -W 'pickle json' -- "$word") ;;
        --color) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word") ;;
        --protocol | -P) mapfile -t COMPREPLY < <(compgen -W '2 3 4 5' -- "$word") ;;
        *)
            if [[ $word == -* ]]; then
                mapfile -t COMPREPLY < <(compgen -W '--repr --json --disassemble --pickle --from=
                    --protocol= --indent= --color= --input-max= --output-max= --memory-max= --objects-max=
                    --opcodes-max= --memo-max= --depth-max= --integer-bits-max= --time-max-ms=
                    --help --usage --version' -- "$word")
                [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$word")
            fi
            ;;
    esac
}
complete -o filenames -F _kin kin

# SPDX-License-Identifier: MIT
# Completion of the accel command for bash.

_accel_devices()
{
	"$1" devices --json 2>/dev/null | sed -n 's/^ *"spec": "\(.*\)",*$/\1/p'
}

_accel()
{
	local cur prev options option
	COMPREPLY=()
	# The colon of sim:NAME is no break between words here.
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev
	else
		cur=${COMP_WORDS[COMP_CWORD]}
		prev=${COMP_WORDS[COMP_CWORD - 1]}
	fi

	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W 'devices info convert quantise optimise compile run bench eval compare disasm estimate profile --help --version' -- "$cur")
		return
	fi

	case $prev in
	-d | --device)
		mapfile -t COMPREPLY < <(compgen -W "$(_accel_devices "${COMP_WORDS[0]}")" -- "$cur")
		if declare -F __ltrim_colon_completions >/dev/null; then
			__ltrim_colon_completions "$cur"
		fi
		return
		;;
	-s | --dataset | --samples)
		mapfile -t COMPREPLY < <(compgen -f -W 'fashion-mnist' -- "$cur")
		return
		;;
	-a | --arch)
		mapfile -t COMPREPLY < <(compgen -W 'u55 u65 u85' -- "$cur")
		return
		;;
	-t | --target)
		mapfile -t COMPREPLY < <(compgen -W "$(_accel_devices "${COMP_WORDS[0]}" | sed -n 's/^sim://p')" -- "$cur")
		return
		;;
	--method)
		mapfile -t COMPREPLY < <(compgen -W 'minmax percentile mse entropy' -- "$cur")
		return
		;;
	--weights)
		mapfile -t COMPREPLY < <(compgen -W 'per-channel per-tensor' -- "$cur")
		return
		;;
	--io)
		mapfile -t COMPREPLY < <(compgen -W 'int8 float32' -- "$cur")
		return
		;;
	--optimiser)
		mapfile -t COMPREPLY < <(compgen -W 'adam sgd' -- "$cur")
		return
		;;
	--engine)
		mapfile -t COMPREPLY < <(compgen -W 'reference npu' -- "$cur")
		return
		;;
	--optimise)
		mapfile -t COMPREPLY < <(compgen -W 'performance size' -- "$cur")
		return
		;;
	-S | --system | -m | --memory-mode)
		option=$prev
		[ "$option" = -S ] && option=--system
		[ "$option" = -m ] && option=--memory-mode
		mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" compile "$option=help" 2>/dev/null)" -- "$cur")
		return
		;;
	-n | --runs | --limit | -j | --jobs | --top | --threshold | --min-top1 | --max-drop)
		return
		;;
	esac

	options='--json --help'
	case ${COMP_WORDS[1]} in
	compile) options="$options --target --output --shape --own-io --system --memory-mode --optimise --jobs --emit --dump --no-cpu-fallback --own-io --operators" ;;
	run) options="$options --device --input --output" ;;
	bench) options="$options --device --runs" ;;
	convert) options="$options --output --shape" ;;
	quantise) options="$options --output --calibration --preprocess --samples --shape --io --method --percentile --weights --equalise --bias-correction --int16 --mixed --float-below --adaround --optimiser --lr --momentum --batch --epochs --seed" ;;
	optimise) options="$options --output --calibration --preprocess --samples --shape --quantise --sparsity --clusters --channels --spare --even --rounds --damping --epochs --distill --augment --inner --optimiser --lr --momentum --batch --seed --eval --limit --target --system --memory-mode" ;;
	eval) options="$options --device --dataset --samples --preprocess --shape --limit --float --engine --targets --top --threshold --confusion --min-top1 --max-drop" ;;
	compare) options="$options --dataset --samples --preprocess --shape --limit --html" ;;
	disasm) options="$options --arch" ;;
	estimate) options="$options --shape --target --system --memory-mode --all" ;;
	profile) options="$options --shape --target --system --memory-mode --trace --html" ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -o filenames -F _accel accel

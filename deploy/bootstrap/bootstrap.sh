#!/bin/sh
# Opens a shell in your container: signs in, starts the host if it is stopped, shows each stage, then runs ssh.
#
#   curl -sSf URL/v1/bootstrap/script | sh
#   curl -sSf URL/v1/bootstrap/script | sh -s -- --user NAME --password-file FILE [--host ID] [-- COMMAND ARG...]
#   curl -sSf URL/entry/ID | sh       a host's own link: the same for that host, with its owner's login password
#   curl -sSf URL/entry/ID | sh -s -- --password-file FILE [-- COMMAND ARG...]
#
# Exit codes: 0; 2 connection or HTTP error, or wrong usage; 10 auth_invalid; 11 account_disabled; 12 account_expired;
# 13 host_not_found; 14 start_failed; 15 ssh_not_ready; 16 egress_binding_missing; 17 too_many_attempts;
# 18 verification_failed. Once ssh runs, the exit code is ssh's own.
#
# The password, the poll token and the one-time key live in files of a 0700 directory, never in an argument list; a
# trap removes it. The proxy's host key comes with the hand-off and is pinned: host key checking stays on. Nothing of an
# answer is used before it has the form that it must have, or shown with control characters in it.
# Everything is inside functions and main is called on the last line, so a cut-off download runs nothing.

url=@PUBLIC_URL@
entry=@ENTRY@    # short id of the host whose link this is; empty: name and host are asked for or given
password_tries=3 # on a terminal
stages='auth_passed host_starting image_ready container_created firewall_ready tunnel_ready verifying ssh_ready'
dir=
tty_state=
shown=

say() {
	printf '%s\n' "$*" >&2
}

fail() {
	code=$1
	shift
	say "error: $*"
	exit "$code"
}

# shellcheck disable=SC2317 # called by the trap
clean_up() {
	trap '' HUP INT QUIT PIPE TERM # a second Ctrl-C comes too late
	if [ -n "$tty_state" ]; then
		stty "$tty_state" </dev/tty 2>/dev/null
	fi
	if [ -n "$dir" ]; then
		rm -rf "$dir"
	fi
}

usage() {
	if [ -n "$entry" ]; then
		say 'usage: sh -s -- [--password-file FILE] [-- COMMAND ARG...]'
	else
		cat >&2 <<'END'
usage: sh -s -- [--user NAME] [--password-file FILE] [--host ID] [-- COMMAND ARG...]
  --user NAME            your login name; asked on the terminal when absent
  --host ID              short id of the host; your oldest host when absent
END
	fi
	cat >&2 <<'END'
  --password-file FILE   file whose first line is your login password; asked on the terminal when absent
  -- COMMAND ARG...      run this instead of an interactive shell
END
}

need_tools() {
	for tool in curl ssh ssh-keygen mktemp sed grep tr date; do
		command -v "$tool" >/dev/null 2>&1 || fail 2 "$tool is needed and was not found; install it and try again"
	done
}

# stdin is the script itself under "curl | sh": questions go to the terminal, or nowhere.
need_tty() {
	(: </dev/tty) 2>/dev/null || fail 2 "there is no terminal; $1"
}

ask_user() {
	need_tty 'give --user NAME'
	printf 'Username: ' >/dev/tty
	IFS= read -r user </dev/tty || fail 2 'no user name was given'
	[ -n "$user" ] || fail 2 'no user name was given'
}

ask_password() {
	need_tty 'give --password-file FILE'
	tty_state=$(stty -g </dev/tty) || fail 2 'the terminal does not answer; give --password-file FILE'
	stty -echo </dev/tty
	if [ -n "$entry" ]; then printf 'Host %s. ' "$entry" >/dev/tty; fi
	printf 'Password: ' >/dev/tty
	IFS= read -r password </dev/tty || fail 10 'no password was given'
	stty "$tty_state" </dev/tty
	tty_state=
	printf '\n' >/dev/tty
}

# A file may come from elsewhere: the carriage return that ends its line is not the password's.
read_password() {
	if [ -n "$password_file" ]; then
		password=
		[ -r "$password_file" ] || fail 2 "cannot read $password_file"
		IFS= read -r password <"$password_file" || :
		password=${password%"$(printf '\r')"}
		[ -n "$password" ] || fail 2 'the password is empty'
	else
		ask_password
	fi
	# printf is built in: the password does not show up in a process list.
	printf '%s' "$password" >"$dir/password"
	password=
}

# request CURL_ARGUMENT...: leaves the answer's name=value lines in $dir/answer and its status in $http_status,
# which is 000 when no answer came. The user's ~/.curlrc does not count: it may change what curl's exit status means.
request() {
	http_status=$(curl -q -sS --connect-timeout 10 --max-time 60 -H 'Accept: text/plain' -o "$dir/answer" \
		-w '%{http_code}' "$@" 2>"$dir/curl_error") || http_status=000
}

# answers NAME: the value of each line NAME=value of the answer.
answers() {
	sed -n "s/^$1=//p" "$dir/answer" | LC_ALL=C tr -d '\000-\011\013-\037\177'
}

# answer NAME: the first of them, to be compared or shown.
answer() {
	answers "$1" | sed -n 1p
}

# checked NAME PATTERN: the same, to be used; an answer of another form ends the script.
checked() {
	answer "$1" | LC_ALL=C grep -Ex "$2" || fail 2 "the server's answer has no usable $1; tell your administrator"
}

# Why the last request failed, as a sentence.
reason() {
	if [ "$http_status" = 000 ]; then
		sed -n 1p "$dir/curl_error"
	else
		text=$(answer message)
		printf '%s\n' "${text:-the server answered HTTP $http_status}"
	fi
}

exit_code() {
	case $1 in
	auth_invalid) echo 10 ;;
	account_disabled) echo 11 ;;
	account_expired) echo 12 ;;
	host_not_found) echo 13 ;;
	start_failed) echo 14 ;;
	ssh_not_ready | sshd_silent) echo 15 ;;
	egress_binding_missing) echo 16 ;;
	too_many_attempts) echo 17 ;;
	verification_failed | exit_mismatch | dns_failed | leak | inventory | inconclusive) echo 18 ;;
	*) echo "$2" ;;
	esac
}

stage_text() {
	case $1 in
	auth_passed) echo 'signed in' ;;
	host_starting) echo 'starting your host' ;;
	image_ready) echo 'image found' ;;
	container_created) echo 'container ready' ;;
	firewall_ready) echo 'firewall loaded, closed' ;;
	tunnel_ready) echo 'tunnel to the exit is up' ;;
	verifying) echo 'proving the exit address, DNS and that nothing leaks' ;;
	ssh_ready) echo 'ssh answers' ;;
	*) echo "$1" ;;
	esac
}

show_stage() {
	printf '  %-18s %s\n' "$1" "$2" >&2
	shown="$shown $1"
}

# A start goes through all its stages in their order, and a poll may see the third of three quick ones: say every one that
# has been passed.
show_stages() {
	case " $shown " in *" $1 "*) return ;; esac
	case " $stages " in *" $1 "*) ;; *) return ;; esac
	for stage in $stages; do
		case " $shown " in
		*" $stage "*) ;;
		*) show_stage "$stage" "$(stage_text "$stage")" ;;
		esac
		if [ "$stage" = "$1" ]; then return; fi
	done
}

make_key() {
	ssh-keygen -q -t ed25519 -N '' -C one-time -f "$dir/key" </dev/null >/dev/null ||
		fail 2 'ssh-keygen could not make the one-time key'
}

may_try_again() {
	[ -z "$password_file" ] && [ "$password_tries" -gt 0 ]
}

# The server has said no.
refused() {
	fail "$(exit_code "$(answer error_code)" 2)" "$(reason)"
}

# False when the password, which was typed, is wrong and may be typed once more.
sign_in() {
	password_tries=$((password_tries - 1))
	if [ ! -s "$dir/password" ]; then
		may_try_again || fail 10 'no password was given'
		say 'The password is empty. Try again.'
		return 1
	fi
	if [ -n "$entry" ]; then
		set -- "$url/v1/entry/$entry/auth"
	else
		set -- "$url/v1/bootstrap/sessions" --data-urlencode "username=$user"
		if [ -n "$host" ]; then set -- "$@" --data-urlencode "host=$host"; fi
	fi
	set -- "$@" --data-urlencode "public_key=$(cat "$dir/key.pub")"
	request "$@" --data-urlencode password@- <"$dir/password"
	rm -f "$dir/password"
	case $http_status in
	2??) ;;
	*)
		if [ "$http_status" != 401 ] || ! may_try_again; then refused; fi
		say "$(reason)"
		return 1
		;;
	esac
	poll_token=$(checked poll_token '[A-Za-z0-9_-]{20,100}') || exit
	status_path=$(checked status_url '/v1/bootstrap/tasks/[0-9a-f-]{36}') || exit
	printf 'Authorization: Bearer %s\n' "$poll_token" >"$dir/authorization"
	status_url=$url$status_path
	show_stages auth_passed
}

now() {
	date +%s
}

# Follows the task by long polls until it has succeeded: the first look answers at once, each later one when something
# has changed since. An outage of the server is waited out for a minute.
follow_task() {
	version=
	last_change=$(now)
	last_answer=$last_change
	while :; do
		asked=$(now)
		request -H "@$dir/authorization" "$status_url${version:+?wait=25&after=$version}"
		case $http_status in
		200)
			last_answer=$(now)
			known=$version
			version=$(checked version '[0-9a-f]{1,32}') || exit
			if [ "$version" != "$known" ]; then
				last_change=$last_answer
			elif [ $((last_answer - asked)) -lt 2 ]; then
				sleep 1 # a busy server does not hold the request
			fi
			if [ "$(answer task_status)" != succeeded ]; then show_stages "$(answer stage_code)"; fi
			case $(answer task_status) in
			succeeded)
				if [ -n "$known" ]; then
					show_stages ssh_ready
				else
					show_stage ssh_ready 'your host runs' # already: no stage of its start is of today
				fi
				return
				;;
			failed | canceled)
				text=$(answer error_message)
				fail "$(exit_code "$(answer error_code)" 14)" "the host could not be started: ${text:-$(answer task_status)}"
				;;
			esac
			;;
		000 | 429 | 5??)
			if [ $(($(now) - last_answer)) -ge 60 ]; then
				fail "$(exit_code "$(answer error_code)" 2)" "no answer from the server for a minute: $(reason)"
			fi
			sleep 1
			;;
		*) refused ;;
		esac
		if [ $(($(now) - last_change)) -ge 180 ]; then
			fail 14 'nothing has happened for three minutes; ask your administrator to look at the host'
		fi
	done
}

get_handoff() {
	give_up_at=$(($(now) + 120))
	while :; do
		request -H "@$dir/authorization" "$status_url/handoff"
		case $http_status in
		200) if [ "$(answer ready)" = true ]; then return; fi ;;
		000 | 429 | 5??) ;;
		*) refused ;;
		esac
		[ "$(now)" -lt "$give_up_at" ] || fail 15 "ssh was not ready within 120 seconds: $(reason)"
		sleep 1
	done
}

# Quotes one argument for the login shell; the added newline keeps the argument's own last newlines.
quote() {
	printf '%s\n' "$1" | LC_ALL=C sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/"
}

# run_ssh [COMMAND ARG...]: ssh is a child, so that the directory with its key can be removed after it. It runs in that
# directory, where names need no quoting: ssh expands % and more in the paths that it is given.
run_ssh() {
	command=
	for argument; do
		command="$command${command:+ }$(quote "$argument")"
	done
	address=$(checked host '[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}') || exit
	port=$(checked port '[1-9][0-9]{0,4}') || exit
	name=$(checked user '[A-Za-z0-9][A-Za-z0-9_-]{0,31}') || exit
	answers host_keys | LC_ALL=C grep -Ex '(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}' \
		>"$dir/host_keys" || fail 2 "the server's answer has no usable host key; tell your administrator"
	sed 's/^/ccp /' "$dir/host_keys" >"$dir/known_hosts"
	set -- -F /dev/null -i key -p "$port" -l "$name" -o HostKeyAlias=ccp -o StrictHostKeyChecking=yes \
		-o UserKnownHostsFile=known_hosts -o GlobalKnownHostsFile=/dev/null -o UpdateHostKeys=no -o IdentitiesOnly=yes \
		-o PreferredAuthentications=publickey -o ConnectTimeout=15 -o LogLevel=ERROR
	# The server may choose how a dead connection is noticed, and nothing else.
	for option in $(answers ssh_options | LC_ALL=C grep -Ex 'ServerAlive(Interval|CountMax)=[0-9]{1,4}'); do
		set -- "$@" -o "$option"
	done
	show_exit
	cd "$dir" || fail 2 "cannot enter $dir"
	if [ -n "$command" ]; then
		ssh "$@" -- "$address" "$command"
	else
		ssh "$@" -t -- "$address" </dev/tty
	fi
	code=$?
	if [ "$code" = 255 ]; then say_way_back; fi
	return "$code"
}

show_exit() {
	exit_address=$(answer exit_address | LC_ALL=C grep -Ex '[0-9A-Fa-f.:]{3,45}') || return
	show_stage exit_address "$exit_address"
}

# 255 is ssh's own failure; a command may end with it too.
say_way_back() {
	link=/v1/bootstrap/script options=
	if [ -n "$entry" ]; then link=/entry/$entry; fi
	if [ -n "$user" ]; then options=" --user $(quote "$user")"; fi
	if [ -n "$host" ]; then options="$options --host $(quote "$host")"; fi
	say "If the connection was lost, this comes back:"
	say "  curl -sSf $(quote "$url$link") | sh -s --$options"
}

main() {
	user='' password_file='' host=''
	while [ $# -gt 0 ]; do
		case $1 in
		--user | --password-file | --host)
			[ -z "$entry" ] || [ "$1" = --password-file ] || fail 2 "this is the link of host $entry: leave out $1"
			[ $# -ge 2 ] || fail 2 "$1 needs a value"
			case $1 in
			--user) user=$2 ;;
			--password-file) password_file=$2 ;;
			--host) host=$2 ;;
			esac
			shift 2
			;;
		--help)
			usage
			exit 0
			;;
		--)
			shift
			break
			;;
		*)
			usage
			fail 2 "unknown argument $1"
			;;
		esac
	done
	need_tools
	umask 077
	trap clean_up EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 131' QUIT
	trap 'exit 141' PIPE
	trap 'exit 143' TERM
	dir=$(mktemp -d "${TMPDIR:-/tmp}/ccp.XXXXXXXX") || fail 2 'cannot make a temporary directory'
	case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
	[ -n "$user$entry" ] || ask_user
	[ -n "$password_file" ] || need_tty 'give --password-file FILE'
	[ $# -gt 0 ] || [ -z "$password_file" ] || need_tty 'give a command after --'
	make_key
	until read_password && sign_in; do :; done
	follow_task
	get_handoff
	run_ssh "$@"
	exit $?
}

main "$@"

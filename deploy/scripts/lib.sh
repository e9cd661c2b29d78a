# shellcheck shell=bash
# What up, down, status, psql and image share: the stack's settings, steps with one line of output each, and runit.
#
# A stack is one installation of the product on this machine. These variables choose it; tests run several side by side:
#   STATE_DIR          all that it keeps and runs from               /var/lib/cloud-cli-proxy
#   CCP_RUN_DIR        where up writes `env` for people and tests    .run of the checkout; with another STATE_DIR, its run/people
#   CCP_HTTP_PORT      of ccp-api on 127.0.0.1                       8080
#   CCP_SSHPROXY_PORT  of ccp-sshproxy on 127.0.0.1                  2222
#   CCP_METRICS_PORT   of ccp-api's GET /metrics on 127.0.0.1        9464
#   CCP_LAB_PREFIX     names of the lab's network namespaces         ccp; with another STATE_DIR one of its own
#   CCP_MODE           socket: the agent is a service; embedded: it is the worker's child   socket
#   CCP_SING_BOX       the engine of exits through a proxy: another build than the pinned one, 1.14 or later
#   CCP_OWN_DOCKER     1: a dockerd of its own though one answers at /var/run/docker.sock
# up keeps what it was called with in STATE_DIR/stack, so that later STATE_DIR is enough. None of them is a name in the `env`
# that up writes: a shell that has read one stack's can still start another.
#
# A shell works for one stack: settings_load chooses it, once, and no function has a default of its own. Before that, and
# without an errexit of the caller's too, a name that is not set ends the shell.
set -u

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034  # used by those who source this
cache=/var/cache/cloud-cli-proxy
stack_variables=(CCP_RUN_DIR CCP_HTTP_PORT CCP_SSHPROXY_PORT CCP_METRICS_PORT CCP_LAB_PREFIX CCP_MODE CCP_SING_BOX CCP_DOCKER_SOCKET) # the last is up's own choice

say() {
	printf '%s\n' "$*"
}

die() {
	printf '%s\n' "$*" >&2
	exit 1
}

default_state_dir=/var/lib/cloud-cli-proxy

is_default_stack() {
	[[ $STATE_DIR == "$(realpath -m "$default_state_dir")" ]]
}

# Two stacks that share a lab would take each other's exits away, and two that share a directory each other's `env`.
lab_prefix() {
	is_default_stack && printf 'ccp\n' && return
	printf 'ccp-%08x\n' "$(cksum <<<"$STATE_DIR" | cut -d' ' -f1)"
}

run_dir() {
	is_default_stack && printf '%s\n' "$checkout/.run" || printf '%s\n' "$STATE_DIR/run/people"
}

# A line NAME=value of STATE_DIR/stack for each variable that the stack was started with.
settings_saved() {
	local name
	for name in "${stack_variables[@]}"; do
		grep -E "^$name=." "$STATE_DIR/stack" 2>/dev/null || true
	done
}

# What lies in it is run, and believed, by root.
state_check() {
	[[ ! -e $STATE_DIR || $(stat -c %u "$STATE_DIR") == 0 ]] ||
		die "STATE_DIR must be root's, and $STATE_DIR is $(stat -c %U "$STATE_DIR")'s: what lies in it would run as root"
}

# Sets the variables above: what the stack was started with (kept) or what the caller says (given) comes first, the default
# last. The lab's name is kept in either case: under another it would leave the one that stands behind.
settings_load() { # kept|given
	local line name
	[[ -z ${stack_loaded:-} ]] || die "this shell works for the stack in $stack_loaded: use another for another one"
	CCP_DOCKER_SOCKET=
	CCP_SING_BOX=${CCP_SING_BOX:-}
	STATE_DIR=${STATE_DIR:-$default_state_dir}
	[[ $STATE_DIR != /* ]] || STATE_DIR=$(realpath -m "$STATE_DIR") # one directory, one spelling: processes are known by it
	[[ $STATE_DIR =~ ^/[A-Za-z0-9._/-]+$ && ${#STATE_DIR} -le 70 ]] ||
		die "STATE_DIR must be an absolute path of at most 70 letters, digits and ._/- (sockets lie in it), not '$STATE_DIR'"
	state_check
	while read -r line; do
		name=${line%%=*}
		[[ $1 == given && $name != CCP_LAB_PREFIX && -n ${!name:-} ]] || printf -v "$name" %s "${line#*=}"
	done < <(settings_saved)
	CCP_RUN_DIR=${CCP_RUN_DIR:-$(run_dir)}
	CCP_HTTP_PORT=${CCP_HTTP_PORT:-8080}
	CCP_SSHPROXY_PORT=${CCP_SSHPROXY_PORT:-2222}
	CCP_METRICS_PORT=${CCP_METRICS_PORT:-9464}
	CCP_LAB_PREFIX=${CCP_LAB_PREFIX:-$(lab_prefix)}
	CCP_MODE=${CCP_MODE:-socket}
	[[ $CCP_MODE == socket || $CCP_MODE == embedded ]] || die "MODE is socket or embedded, not '$CCP_MODE'"
	stack_loaded=$STATE_DIR
	export CCP_SING_BOX # for tools/install-deps
	export STATE_DIR # for the scripts that a script calls; they read the rest in STATE_DIR/stack
}

settings_save() {
	local name
	for name in "${stack_variables[@]}"; do
		printf '%s=%s\n' "$name" "${!name:-}"
	done | file_put 644 "$STATE_DIR/stack"
}

need_root() {
	[[ $EUID -eq 0 ]] || die "needs root: containers, network namespaces and system users are its business"
}

# One up or down at a time for a stack; the lock ends with the script.
stack_lock() {
	exec {stack_lock_fd}<"$STATE_DIR"
	flock -w 600 "$stack_lock_fd" || die "another up or down of $STATE_DIR has been running for ten minutes"
}

# --- files

# Writes stdin to a file, at once and whole.
file_put() { # MODE PATH
	local new
	new=$(mktemp "$2.XXXXXX")
	cat >"$new"
	chmod "$1" "$new"
	mv -f "$new" "$2"
}

# --- steps

# Runs a function as one step: a line when it is done; when it fails its last words, what to do, and the end of the script.
step() { # SENTENCE HINT FUNCTION [ARG...]
	local sentence=$1 hint=$2 log=$STATE_DIR/log/up.log started status
	shift 2
	started=$EPOCHREALTIME
	set +e
	(
		set -e
		"$@"
	) >"$log" 2>&1 </dev/null {stack_lock_fd}<&-
	status=$?
	set -e
	if [[ $status -ne 0 ]]; then
		printf 'FAIL  %s\n' "$sentence"
		tail -n 25 "$log" | sed 's/^/      /'
		printf 'What to do: %s\n' "$hint"
		exit 1
	fi
	printf '  ok  %-66s %6s s\n' "$sentence" "$(seconds_since "$started")"
}

seconds_since() { # EPOCHREALTIME of the start
	local us=$((${EPOCHREALTIME/./} - ${1/./}))
	printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

# Tries a command each tenth of a second until it succeeds; the command has a deadline of its own and says nothing.
wait_for() { # SECONDS COMMAND [ARG...]
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

# --- services: deploy/services has one line for each, made here into a runit service directory

supervisor_pid() {
	local pid
	pid=$(cat "$STATE_DIR/run/supervisor.pid" 2>/dev/null) || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "runsvdir -P $STATE_DIR/service " && printf '%s\n' "$pid"
}

service_names() {
	awk '!/^#/ && NF { print $1 }' "$checkout/deploy/services"
}

# The service in which a program runs. An embedded agent's own is defined all the same, and stays down.
service_of() { # PROGRAM
	[[ $1 == ccp-agent && $CCP_MODE == embedded ]] && printf 'ccp-worker\n' || printf '%s\n' "$1"
}

# What one session of the server may have of its own, beside the memory that all share.
postgres_session_mb=512

# Runs as a service of its own user until runsv ends it; when runsv is killed, the kernel ends it.
service_script() { # USER[/GROUP,...] COMMAND [ARG...]
	local rights=(--pdeathsig TERM) before=: environment=() user=${1%%[/:]*} groups=(--clear-groups)
	[[ $1 != */* ]] || groups=(--groups "$(sed -E 's,^[^/]*/([^:]*).*$,\1,' <<<"$1")")
	case $1 in
	root) ;;
	root[/:]*) rights+=("${groups[@]}" --inh-caps=-all "--bounding-set=-all,${1#*:}") ;;
	ccp-postgres)
		rights=(--pdeathsig INT --reuid "$1" --regid "$1" --clear-groups --inh-caps=-all --bounding-set=-all)
		# A server killed while it was starting, or a power cut, leaves empty lock files, at which the next would not start.
		before="find $STATE_DIR/pg/postmaster.pid $(socket_directories | sed 's,$,/.s.PGSQL.5432.lock,' | tr '\n' ' ')"
		before+="-type f -empty -delete 2>/dev/null"
		# A session may set work_mem for itself. With more memory than this its statement fails; where all sessions together
		# have more than the machine, the kernel ends one of them before the server or another program.
		before+=$'\n'"ulimit -d $((postgres_session_mb * 1024))"
		environment=(PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj PG_OOM_ADJUST_VALUE=500)
		;;
	*) rights+=(--reuid "$user" --regid "$user" "${groups[@]}" --no-new-privs --inh-caps=-all --bounding-set=-all) ;;
	esac
	shift
	if [[ $1 == containerd ]]; then
		# Killed before the shim was asked to make the container, it leaves a directory that it does not clean up, and at which
		# each later start of that container fails.
		before="for bundle in $STATE_DIR/run/containerd/io.containerd.runtime.v2.task/moby/*; do
		    [ -e \"\$bundle/runtime\" ] || pgrep -f -- \"-id \${bundle##*/} \" >/dev/null || rm -rf --one-file-system \"\$bundle\"
		done"
	fi
	cat <<-END
		#!/bin/sh
		# Written by deploy/scripts/up from deploy/services.
		exec 2>&1
		cd /
		ulimit -S -n "\$(ulimit -H -n)"
		$before
		exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/ LANG=C.UTF-8 ${environment[*]} \\
		    setpriv ${rights[*]} \\
		    $* "\$@"
	END
}

# Lines of PostgreSQL that clients cause by trying, one for each try or three; as svlogd matches them.
refusals="*FATAL:  Peer authentication failed*
*FATAL:  pg_hba.conf rejects*
*FATAL:  sorry, too many clients already*
*FATAL:  remaining connection slots are reserved*
*FATAL:  too many connections for role*
*FATAL:  the database system is *
*DETAIL:  Consistent recovery state has not been yet reached*
*LOG:  no match in usermap*
*LOG:  provided user name*
*DETAIL:  Connection matched pg_hba.conf*"

# One of svlogd's directories: its files together have 40 MB, those of refusals 4.
log_directory_make() { # DIRECTORY SETTING...
	install -d -m 750 -o ccp-log -g root "$1"
	# shellcheck disable=SC2016 # expanded by the inner shell
	printf '%s\n' "${@:2}" | setpriv --reuid ccp-log --regid ccp-log --clear-groups sh -c 'cat >"$1/config"' sh "$1"
}

# What is logged of refused clients goes where it can push out nothing but its like.
log_make() { # NAME
	local patterns
	mapfile -t patterns <<<"$refusals"
	if [[ $1 == postgres ]]; then
		log_directory_make "$STATE_DIR/log/$1" s4000000 n10 "${patterns[@]/#/-}"
		log_directory_make "$STATE_DIR/log/$1/refused" s1000000 n4 '-*' "${patterns[@]/#/+}"
	else
		log_directory_make "$STATE_DIR/log/$1" s4000000 n10
	fi
}

# The directories of a service's log.
log_directories() { # NAME
	printf '%s' "$STATE_DIR/log/$1"
	[[ $1 != postgres ]] || printf ' %s' "$STATE_DIR/log/$1/refused"
}

# Makes the service's directory, not yet started, or renews its command. Whether that changed is seen at service_start.
service_define() { # NAME USER COMMAND [ARG...]
	local name=$1 dir=$STATE_DIR/service/$1 new=$STATE_DIR/service/.$1
	shift
	if [[ -d $dir ]]; then
		service_script "$@" | cmp -s - "$dir/run" && return
		service_script "$@" | file_put 755 "$dir/run"
		touch "$dir/changed"
		return
	fi
	rm -rf "$new"
	mkdir -p "$new/log" "$new/control"
	touch "$new/down"
	service_script "$@" | file_put 755 "$new/run"
	printf '#!/bin/sh\nexec setpriv --reuid ccp-log --regid ccp-log --clear-groups svlogd %s\n' \
		"$(log_directories "$name")" | file_put 755 "$new/log/run"
	if [[ $name == postgres ]]; then # SIGTERM would wait for its clients to leave
		# shellcheck disable=SC2016 # expanded by that shell
		printf '#!/bin/sh\nexec pkill -INT -x -P "$PPID" postgres\n' | file_put 755 "$new/control/t"
	fi
	log_make "$name"
	mv "$new" "$dir"
}

# Puts the settings into the list's lines and makes every service's directory.
services_define() {
	local name user command agent_user agent_command
	while read -r name user command; do
		[[ $name != '#'* && -n $name ]] || continue
		command=${command//@STATE_DIR@/$STATE_DIR}
		command=${command//@PG_BIN@/$(postgres_bin)}
		command=${command//@HTTP_PORT@/$CCP_HTTP_PORT}
		command=${command//@SSH_PORT@/$CCP_SSHPROXY_PORT}
		command=${command//@METRICS_PORT@/$CCP_METRICS_PORT}
		command=${command//@DOCKER_SOCKET@/$CCP_DOCKER_SOCKET}
		command=${command//@UPLINK_NETNS@/$(lab_uplink)}
		[[ $name != ccp-agent ]] || { agent_user=$user && agent_command=$command; } # which comes before the worker
		[[ $name != ccp-worker || $CCP_MODE == socket ]] ||
			{ user=$agent_user && command="$command --embed-agent -- ${agent_command#* --state-dir "$STATE_DIR" }"; }
		# shellcheck disable=SC2086
		service_define "$name" "$user" $command
	done <"$checkout/deploy/services"
}

# What a killed supervisor left running ends first, so that nothing has two.
supervisor_start() {
	supervisor_pid >/dev/null && return
	local name names
	mapfile -t names < <(cd "$STATE_DIR/service" 2>/dev/null && printf '%s\n' *)
	services_end "${names[@]}"
	rm -rf "$STATE_DIR/service"
	mkdir -p "$STATE_DIR/service"
	services_define
	setsid runsvdir -P "$STATE_DIR/service" </dev/null >"$STATE_DIR/log/supervisor.log" 2>&1 &
	printf '%s\n' $! >"$STATE_DIR/run/supervisor.pid"
	for name in $(service_names); do
		wait_for 10 sv status "$STATE_DIR/service/$name"
	done
}

# The supervisor of one service.
service_supervisor() { # NAME
	local pid
	for pid in $(pgrep -x runsv); do
		[[ ! /proc/$pid/cwd -ef $STATE_DIR/service/$1 ]] || { printf '%s\n' "$pid" && return; }
	done
	return 1
}

# The service's process: its supervisor's child that is not its log. What runsv writes of it is old after a full disk.
service_pid() { # NAME
	local supervisor pid
	supervisor=$(service_supervisor "$1") || return 1
	for pid in $(pgrep -P "$supervisor"); do
		[[ /proc/$pid/cwd -ef $STATE_DIR/service/$1/log || $(cat "/proc/$pid/comm") == runsv ]] ||
			{ printf '%s\n' "$pid" && return; }
	done 2>/dev/null
	return 1
}

# Starts a service, or starts it again when its command or its program has changed; a running one is left alone.
service_start() { # NAME
	local dir=$STATE_DIR/service/$1
	rm -f "$dir/down"
	if [[ -e $dir/changed ]]; then
		sv -w 30 restart "$dir"
		rm -f "$dir/changed"
	else
		sv -w 10 start "$dir"
	fi
}

# Ends a service that is to stay down.
service_stop() { # NAME
	touch "$STATE_DIR/service/$1/down"
	sv -w 30 down "$STATE_DIR/service/$1"
}

# A process and all that descends from it.
family() { # PID
	local child
	printf '%s\n' "$1"
	for child in $(pgrep -P "$1"); do
		family "$child"
	done
}

# True when neither the service nor its supervisor is there.
service_gone() { # NAME
	[[ ! -e $STATE_DIR/service/$1/supervise/lock ]] || flock -n "$STATE_DIR/service/$1/supervise/lock" true
}

services_gone() { # NAME...
	local name
	for name; do
		service_gone "$name" || return
	done
}

# The supervisor of a service first, which would start it again; then it and all that descends from it.
service_kill() { # NAME
	local supervisor pids
	supervisor=$(service_supervisor "$1") || return 0
	mapfile -t pids < <(family "$supervisor")
	kill -KILL "${pids[@]}" 2>/dev/null || true
}

process_gone() { # PID
	[[ ! -e /proc/$1 ]]
}

# A PostgreSQL that waits for a process which does not end is told to leave at once: it kills that one, and the next start
# recovers. Killed itself, it would leave shared memory behind.
postgres_hurry() {
	local pid
	pid=$(service_pid postgres) && kill -QUIT "$pid" 2>/dev/null || return 0
	wait_for 7 process_gone "$pid" || true
}

# Ends services and their supervisors and waits for all: asks, and kills after some seconds what is still there.
services_end() { # NAME...
	local name asked=()
	for name; do
		service_gone "$name" || asked+=("$STATE_DIR/service/$name")
	done
	[[ ${#asked[@]} -gt 0 ]] || return 0
	sv -w 1 exit "${asked[@]}" >/dev/null || true
	! wait_for 6 services_gone "$@" || return 0
	[[ " $* " != *" postgres "* ]] || postgres_hurry
	for name; do
		service_gone "$name" || service_kill "$name"
	done
	wait_for 5 services_gone "$@"
}

service_log_tail() { # NAME
	say "last lines of $STATE_DIR/log/$1/current:"
	tail -n 15 "$STATE_DIR/log/$1/current" 2>/dev/null
}

# Waits until a command succeeds; says what the service logged when it does not.
service_wait() { # NAME SECONDS COMMAND [ARG...]
	local name=$1 seconds=$2
	shift 2
	wait_for "$seconds" "$@" && return
	say "$name does not answer after $seconds s"
	service_log_tail "$name"
	return 1
}

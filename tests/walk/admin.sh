#!/bin/bash
# An administrator's first day, over HTTP with curl and jq alone: an exit, a user, a host that starts, the lines for its user,
# expiry, sessions, another signing key, the audit log, and the end of it all. To be read, and run by a test.
#
# usage: tests/walk/admin.sh URL NAME PASSWORD_FILE EXIT_FILE
#   URL            where the API answers
#   NAME           an administrator
#   PASSWORD_FILE  file whose first line is the password
#   EXIT_FILE      an exit, as POST /v1/admin/egress-ips takes it
#
# What it makes has names with "walk" in them. Passwords and tokens are in files of a directory that it removes, and in no
# argument list.
set -euo pipefail
umask 077
url=${1%/} admin=$2 password_file=$3 exit_file=$4
user=walk-$RANDOM
dir=$(mktemp -d)
follower= # pid of the curl that reads a stream
trap 'unfollow; rm -rf "$dir"' EXIT

say() {
	printf '\n== %s\n' "$*" >&2
}

# A request, with a deadline.
http() {
	curl -sS --max-time 60 "$@"
}

# login NAME PASSWORD_FILE: leaves the header for that person's requests in $dir/NAME. Returns the HTTP status on stdout.
login() {
	jq -n --arg username "$1" --rawfile password "$2" '{$username, password: $password | rtrimstr("\n")}' |
		http -o "$dir/answer" -w '%{http_code}' -H 'Content-Type: application/json' -d @- "$url/v1/auth/login"
	jq -r '"Authorization: Bearer \(.token)"' "$dir/answer" >"$dir/$1"
}

# ask METHOD PATH [BODY]: the administrator's request; a refusal ends the script with its sentence.
ask() {
	local body=()
	if [ $# -gt 2 ]; then body=(-d "$3"); fi
	http --fail-with-body -X "$1" -H "@$dir/$admin" -H 'Content-Type: application/json' "${body[@]}" "$url$2" || {
		say "$1 $2 was refused"
		return 1
	}
}

# await PATH FILTER: follows a task or a host on the live stream until jq's filter holds, for two minutes at most. Shows each
# step of a task as it goes by. From "ready" on the stream tells what changes; how it is by then is asked for, and asked for
# again when there was more than the stream can tell.
await() {
	local noun=${1#/v1/admin/} line step='' last='' holds=1 stream
	exec {stream}< <(exec curl -fsSN --max-time 120 -H "@$dir/$admin" "$url/v1/admin/sse?topics=${noun%%/*}")
	follower=$!
	while [ $holds != 0 ] && IFS= read -r line <&"$stream"; do
		case $line in
		'event: ready' | 'event: resync') ask GET "$1" >"$dir/seen" ;;
		'data: '*) jq -e --arg id "${noun#*/}" 'select(.id == $id) | .payload' <<<"${line#data: }" >"$dir/told" || continue
			mv "$dir/told" "$dir/seen" ;;
		*) continue ;;
		esac
		step=$(jq -r '[.status, .stage, .message] | map(values) | join("  ")' "$dir/seen")
		if [ "$step" != "$last" ]; then printf '   %s\n' "$step" >&2; fi
		last=$step
		if jq -e "$2" "$dir/seen" >/dev/null; then holds=0; fi
		jq -e '.status != "failed"' "$dir/seen" >/dev/null || break
	done
	unfollow
	exec {stream}<&-
	[ $holds = 0 ] || say "waited in vain for: $2"
	return $holds
}

unfollow() {
	if [ -n "$follower" ]; then kill "$follower" 2>/dev/null || true; fi
	follower=
}

say "log in as $admin"
[ "$(login "$admin" "$password_file")" = 200 ]
ask GET /v1/user/me | jq -r '"   \(.username) is \(.role)"' >&2

say 'an exit, through which a host will leave'
exit_id=$(ask POST /v1/admin/egress-ips "@$exit_file" | jq -r .id)

say "a user, $user, whose password is shown this once"
ask POST /v1/admin/users "$(jq -n --arg username "$user" '{$username}')" >"$dir/made"
jq -r .password "$dir/made" >"$dir/password"
user_id=$(jq -r .id "$dir/made")

say 'a host for that user; its SSH password is shown this once'
ask POST /v1/admin/hosts "$(jq -n --arg user_id "$user_id" --arg egress_ip_id "$exit_id" \
	'{$user_id, $egress_ip_id, label: "walk", memory_limit_mb: 512}')" >"$dir/host"
host_id=$(jq -r .id "$dir/host")
await "$(jq -r .status_url "$dir/host")" '.status == "succeeded"'

say 'it is started: each step is shown, and the exit is proven'
await "$(ask POST "/v1/admin/hosts/$host_id/start" | jq -r .status_url)" '.status == "succeeded"'
ask GET "/v1/admin/hosts/$host_id" | jq -r '"   \(.why)"' >&2

say 'the lines for its user'
ask GET "/v1/admin/hosts/$host_id/connection" |
	jq -r '.curl_line, .entry_line, .ssh_line, .known_hosts_line | values | "   \(.)"' >&2

say 'a limit is changed: the answer says when that counts'
ask PATCH "/v1/admin/hosts/$host_id" '{"memory_limit_mb": 1024, "idle_stop_minutes": 120}' | jq -r '"   \(.applies)"' >&2

say 'the user expires: out at once, the host stops'
ask PUT "/v1/admin/users/$user_id/expiry" "$(jq -n '{expires_at: now | todate}')" >/dev/null
[ "$(login "$user" "$dir/password")" = 403 ]
[ "$(jq -r .error_code "$dir/answer")" = account_expired ]
await "/v1/admin/hosts/$host_id" '.status == "stopped"'

say 'and is extended: the host comes back'
ask PUT "/v1/admin/users/$user_id/expiry" '{"expires_at": null}' >/dev/null
await "/v1/admin/hosts/$host_id" '.status == "running"'
[ "$(login "$user" "$dir/password")" = 200 ]

say 'who is in which host, and the end of all sessions of the user'
ask GET "/v1/admin/sessions?state=any&user_id=$user_id" | jq -r '.sessions[] | "   \(.host_short_id) \(.method) \(.created_at)"' >&2
ask DELETE "/v1/admin/users/$user_id/sessions" | jq -c . >&2
[ "$(http -o /dev/null -w '%{http_code}' -H "@$dir/$user" "$url/v1/user/me")" = 401 ]

say 'tokens are signed with another key, and nobody is logged out'
kid=$(ask POST /v1/admin/signing-keys/rotate | jq -r .kid)
ask GET /v1/admin/signing-keys | jq -e --arg kid "$kid" '.signing_keys | length > 1 and any(.kid == $kid)' >/dev/null

say 'what the audit log says of all this'
ask GET "/v1/admin/events/export?user_id=$user_id" >"$dir/events"
jq -r '"   \(.time)  \(.actor)  \(.message)"' "$dir/events" >&2
jq -es 'map(.type) | contains(["admin.user.created", "user.expired", "host.stop.expired"])' "$dir/events" >/dev/null

say 'the user is deleted: the host first, with its home, then the user'
await "$(ask DELETE "/v1/admin/users/$user_id?wipe=true" | jq -r .status_url)" '.status == "succeeded"'
[ "$(http -o /dev/null -w '%{http_code}' -H "@$dir/$admin" "$url/v1/admin/users/$user_id")" = 404 ]

say 'and the exit'
ask DELETE "/v1/admin/egress-ips/$exit_id"
say 'done'

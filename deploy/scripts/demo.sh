# shellcheck shell=bash
# What `make up` ends with: an admin, the user demo with a host behind a lab exit, and the main job done as demo.
# All but the first admin and the settings goes through the API, as an admin's script would.

secrets() { # NAME: the file of a secret
	printf '%s/secrets/%s\n' "$STATE_DIR" "$1"
}

# Makes a random password once; it is 0600 and never in an argument, a variable of the environment or a log.
secret_make() { # NAME
	local file
	file=$(secrets "$1")
	[[ -s $file ]] || head -c 18 /dev/urandom | base64 | file_put 600 "$file"
}

api_url() {
	printf 'http://127.0.0.1:%s\n' "$CCP_HTTP_PORT"
}

# One request to the API, its JSON body from stdin when there is one. Prints the answer; says the API's sentence if refused.
api() { # METHOD PATH [-]
	local answer status body
	answer=$(curl -sS -m 40 -X "$1" -H "@$(secrets admin-token)" -H 'Content-Type: application/json' \
		-w '\n%{http_code}' ${3:+--data-binary @-} "$(api_url)$2") || die "$1 $2 got no answer from ccp-api"
	status=${answer##*$'\n'}
	body=${answer%$'\n'*}
	[[ $status == 2* ]] || die "$1 $2 was answered $status: $(jq -r '.message // .detail // .title' <<<"$body" 2>/dev/null)"
	printf '%s\n' "$body"
}

api_login() {
	jq -n --rawfile password "$(secrets admin-password)" '{username: "admin", password: $password | rtrimstr("\n")}' |
		curl -sS -m 10 -f -H 'Content-Type: application/json' --data-binary @- "$(api_url)/v1/auth/login" |
		jq -er '"Authorization: Bearer " + .token' | file_put 600 "$(secrets admin-token)"
}

# Runs SQL from stdin as the owner of everything.
owner_psql() {
	PGOPTIONS='-c role=ccp_owner' psql -XqAt -v ON_ERROR_STOP=1 "$(conninfo ccp_admin)" "$@"
}

# A setting is up's to write until an admin writes another value; what up wrote last tells the two apart.
settings_write() {
	local new=$STATE_DIR/secrets/settings.new written=$STATE_DIR/secrets/settings
	jq -n --arg ssh_port "$CCP_SSHPROXY_PORT" --arg url "$(api_url)" --arg echoes "$LAB_ECHO_URLS" \
		--arg targets "$LAB_CONNECT_TARGETS" --arg zone "$LAB_DNS_CHECK_ZONE" '{
			ssh_host: "127.0.0.1", ssh_port: $ssh_port | tonumber, public_url: $url, penalty_exempt: ["127.0.0.1"],
			echo_urls: $echoes | split(" "), connect_targets: $targets | split(" "), dns_check_zone: $zone
		}' | file_put 600 "$new"
	[[ -e $written ]] || printf '{}\n' | file_put 600 "$written"
	owner_psql <<-END
		\\set wanted \`cat '$new'\`
		\\set written \`cat '$written'\`
		update ccp.settings as s set value = w.value
		from jsonb_each(:'wanted'::jsonb) as w (name, value)
		where
		    s.name = w.name and s.value is distinct from w.value
		    and s.value is not distinct from coalesce(:'written'::jsonb -> w.name, s.value);
	END
	mv "$new" "$written"
}

admin_make() {
	lab_load
	settings_write
	secret_make admin-password
	if [[ -z $(owner_psql -c "select 1 from ccp.users where username = 'admin'") ]]; then
		"$STATE_DIR/libexec/ccp-api" hash <"$(secrets admin-password)" |
			owner_psql -c 'create temporary table made (hash text)' -c '\copy made from pstdin' \
				-c "select account.create_admin('admin', hash) from made"
	fi
}

# Prints the first row of a list that jq's condition finds; nothing when there is none.
api_find() { # PATH NOUN CONDITION
	api GET "$1?limit=200" | jq -c "[.$2[] | select($3)][0] // empty"
}

exit_make() { # NUMBER
	local ip=LAB_EXIT$1_IP endpoint=LAB_EXIT$1_ENDPOINT key=LAB_EXIT$1_PUBLIC_KEY peer=LAB_DEMO_PEER$1
	[[ -z $(api_find /v1/admin/egress-ips egress_ips ".label == \"lab-$1\"") ]] || return 0
	jq -n --arg name "lab-$1" --arg ip "${!ip}" --arg endpoint "${!endpoint}" --arg key "${!key}" \
		--arg dns "$LAB_DNS_SERVER" --arg peer "${!peer}" '{
			"label": $name, ip_address: $ip, provider: "lab", tunnel_type: "wireguard", wg_endpoint: $endpoint,
			wg_public_key: $key, wg_dns_server: $dns, wg_peer_address: $peer, wg_allowed_ips: ["0.0.0.0/0"]
		}' | api POST /v1/admin/egress-ips -
}

user_make() {
	secret_make demo-password
	[[ -z $(api_find /v1/admin/users users '.username == "demo"') ]] || return 0
	jq -n --rawfile password "$(secrets demo-password)" '{username: "demo", password: $password | rtrimstr("\n")}' |
		api POST /v1/admin/users -
}

# Prints demo's host as the API shows it.
host_find() {
	local user
	user=$(api_find /v1/admin/users users '.username == "demo"' | jq -r .id)
	api_find /v1/admin/hosts hosts ".user_id == \"$user\""
}

# The SSH password is shown once, by the request that makes it; if it was lost since, another is made.
host_make() {
	local host password user exit
	password=$(secrets demo-ssh-password)
	host=$(host_find)
	if [[ -z $host ]]; then
		user=$(api_find /v1/admin/users users '.username == "demo"' | jq -r .id)
		exit=$(api_find /v1/admin/egress-ips egress_ips '.label == "lab-1"' | jq -r .id)
		jq -n --arg user "$user" --arg exit "$exit" '{user_id: $user, egress_ip_id: $exit, sudo: true}' |
			api POST /v1/admin/hosts - | jq -er .ssh_password | file_put 600 "$password"
	elif [[ ! -s $password ]]; then
		api POST "/v1/admin/hosts/$(jq -r .id <<<"$host")/rotate-ssh-password" | jq -er .ssh_password | file_put 600 "$password"
	fi
}

# What could not be made before is tried again, as automation would.
host_retry() {
	[[ $(host_find | jq -r .status) == failed ]] || return 0
	psql -XqAt -v ON_ERROR_STOP=1 -v host="$(host_find | jq -r .id)" "$(conninfo ccp_automation)" <<-'END'
		insert into ccp.tasks (kind, host_id) values ('host.create', :'host');
	END
}

host_made() {
	[[ $(host_find | jq -r .status) != pending ]]
}

demo_make() {
	lab_load
	api_login
	exit_make 1
	exit_make 2
	user_make
	host_make
	host_retry
	wait_for 60 host_made || die "the host was not made in 60 s"
	[[ $(host_find | jq -r .status) != failed ]] || die "the host could not be made: $(host_find | jq -r .error_message)"
	host_find | file_put 600 "$(secrets demo-host.json)"
	api_find /v1/admin/egress-ips egress_ips '.label == "lab-2"' | file_put 600 "$(secrets demo-exit2.json)"
	api POST /v1/auth/logout >/dev/null
	rm "$(secrets admin-token)"
}

database_url() { # ROLE [PARAMETERS]
	printf 'postgresql:///ccp?host=%s&user=%s%s\n' "$(socket_directory "$1")" "$1" "${2:-}"
}

env_print() {
	local name
	local -A value=(
		[CCP_URL]=$(api_url)
		[CCP_SSH_HOST]=127.0.0.1
		[CCP_SSH_PORT]=$CCP_SSHPROXY_PORT
		[CCP_DBA_URL]=$(database_url ccp_dba)
		[CCP_AUTOMATION_URL]=$(database_url ccp_automation)
		[CCP_OWNER_URL]=$(database_url ccp_admin '&options=-c%20role%3Dccp_owner')
		[CCP_ADMIN_USER]=admin
		[CCP_ADMIN_PASSWORD_FILE]=$(secrets admin-password)
		[CCP_DEMO_USER]=demo
		[CCP_DEMO_PASSWORD_FILE]=$(secrets demo-password)
		[CCP_DEMO_HOST]=$(jq -r .short_id "$(secrets demo-host.json)")
		[CCP_DEMO_HOST_ID]=$(jq -r .id "$(secrets demo-host.json)")
		[CCP_DEMO_SSH_PASSWORD_FILE]=$(secrets demo-ssh-password)
		[CCP_EXIT_IP]=$LAB_EXIT1_IP
		[CCP_EXIT2_ID]=$(jq -r .id "$(secrets demo-exit2.json)")
		[CCP_EXIT_PEER_NET]=$LAB_FREE_NET
		[CCP_ECHO_URL]=${LAB_ECHO_URLS%% *}
		[CCP_LAB]="$checkout/tests/lab/lab --prefix $CCP_LAB_PREFIX"
		[CCP_UPLINK_NETNS]=$(lab_uplink)
		[CCP_DOCKER_SOCKET]=$CCP_DOCKER_SOCKET
		[CCP_STATE_DIR]=$STATE_DIR
		[CCP_DATA_DIR]=$STATE_DIR/agent
		[CCP_LOG_DIR]=$STATE_DIR/log
	)
	printf '# Written by make up, for tests, benchmarks and people: . %q\n' "$CCP_RUN_DIR/env"
	printf '# CCP_UPLINK_NETNS is a path, as nsenter --net= takes it; CCP_LAB is a command and its first arguments.\n'
	for name in $(printf '%s\n' "${!value[@]}" | sort); do
		printf 'export %s=%q\n' "$name" "${value[$name]}"
	done
}

env_write() {
	lab_load
	mkdir -p "$CCP_RUN_DIR"
	env_print | file_put 600 "$CCP_RUN_DIR/env"
}

# The product's main job, as demo would do it; then what demo saw.
demo_show() {
	local started answer took
	# shellcheck source=/dev/null
	. "$CCP_RUN_DIR/env"
	started=$EPOCHREALTIME
	answer=$(curl -sSf -m 10 "$CCP_URL/v1/bootstrap/script" | timeout --foreground 150 bash -s -- --user "$CCP_DEMO_USER" \
		--password-file "$CCP_DEMO_PASSWORD_FILE" -- curl -s -m 10 "$CCP_ECHO_URL") ||
		die "FAIL  the bootstrap line did not end in a shell; its last words are above, and 'table ccp.now' in make psql tells more"
	took=$(seconds_since "$started")
	[[ $answer == "$CCP_EXIT_IP" ]] || die "FAIL  inside, the exit address is '$answer', not $CCP_EXIT_IP"
	cat <<-END

		As demo:  curl -sSf $CCP_URL/v1/bootstrap/script | bash
		  exit address seen from inside   $answer
		  from curl to the prompt         $took s
		  verification at the start of the host:
		$(demo_checks)

		Try next:
		  . $CCP_RUN_DIR/env
		  curl -sSf $CCP_URL/v1/bootstrap/script | bash      (user demo, password in $CCP_DEMO_PASSWORD_FILE)
		  ssh -p $CCP_SSH_PORT $CCP_DEMO_HOST@$CCP_SSH_HOST      (password in $CCP_DEMO_SSH_PASSWORD_FILE)
		  psql "\$CCP_DBA_URL" -c 'table ccp.now'
		  psql "\$CCP_AUTOMATION_URL" -c "insert into ccp.tasks (kind, host_id) values ('host.stop', '$CCP_DEMO_HOST_ID') returning id, status"
	END
}

demo_checks() {
	psql -XqAt -v ON_ERROR_STOP=1 -F '  ' -v host="$CCP_DEMO_HOST_ID" "$CCP_DBA_URL" <<-'END'
		select format('    %-18s %-8s %6s ms', c.value ->> 'name', c.value ->> 'outcome', c.value ->> 'ms')
		from (
		    select v.checks
		    from ccp.verifications as v
		    where v.host_id = :'host' and v.kind = 'start' and v.outcome = 'passed'
		    order by v.id desc
		    limit 1
		) as v, jsonb_array_elements(v.checks) with ordinality as c (value, number)
		order by c.number;
	END
}

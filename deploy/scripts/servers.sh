# shellcheck shell=bash
# The parts of a stack that are not ours: system users, PostgreSQL, Docker. Sourced after lib.sh.

# --- users and directories

# Groups say who reaches what: ccp-db the database, as programs do; ccp-dial the agent's dial socket; the others are people, who
# come to the database as the role of that name. An administrator puts them in.
people_groups=(ccp-dba ccp-automation ccp-admin)

users_make() {
	local name
	for name in ccp-db ccp-dial "${people_groups[@]}"; do
		getent group "$name" >/dev/null || groupadd --system "$name"
	done
	for name in ccp-postgres ccp-log ccp-agent ccp-verify ccp-worker ccp-api ccp-sshproxy; do
		getent passwd "$name" >/dev/null ||
			useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$name"
	done
}

state_make() {
	local name
	install -d -m 711 "$STATE_DIR" "$STATE_DIR/docker"
	install -d -m 755 "$STATE_DIR/libexec" "$STATE_DIR/run"
	install -d -m 750 -g ccp-log "$STATE_DIR/log"
	install -d -m 700 "$STATE_DIR/secrets" "$STATE_DIR/agent"
	install -d -m 700 -o ccp-postgres -g ccp-postgres "$STATE_DIR/pg"
	install -d -m 750 -o ccp-postgres -g ccp-db "$STATE_DIR/run/pg"
	install -d -m 750 -g ccp-dial "$STATE_DIR/run/dial"
	for name in "${people_groups[@]}"; do
		install -d -m 750 -o ccp-postgres -g "$name" "$STATE_DIR/run/${name#ccp-}"
	done
	for name in worker api sshproxy; do
		install -d -m 700 -o "ccp-$name" -g "ccp-$name" "$STATE_DIR/$name"
	done
}

# --- the kernel's limits

# What 1,000 hosts take of the limits that they share with the machine; ccp.machine_limits says what one does, and ccp.doctor
# what the machine's carry. Where fs.file-max has no end, memory is the limit, which each container has its own of.
kernel_limits=(
	fs.file-max=9223372036854775807
	fs.inotify.max_user_instances=8192
	fs.inotify.max_user_watches=1048576
	fs.pipe-user-pages-soft=262144
	kernel.pid_max=4194304
	kernel.pty.max=1048576
	kernel.threads-max=4194304
)

# Raises what is lower and lowers nothing. It holds until the machine's next start, when up runs again.
kernel_limits_raise() {
	local limit now
	for limit in "${kernel_limits[@]}"; do
		now=$(sysctl -n "${limit%=*}") || continue
		((now >= ${limit#*=})) || sysctl -q -w "$limit" || say "$limit could not be set: ccp.doctor says how many hosts $now carries"
	done
}

# --- PostgreSQL: a cluster of the stack's own, reached by its Unix socket only

postgres_bin() {
	local version
	version=$(cat "$STATE_DIR/pg/PG_VERSION" 2>/dev/null) ||
		version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -n | tail -n 1)
	# The server's user may write there, and the path goes into a script that root runs.
	[[ $version =~ ^[0-9]+$ ]] || die "$STATE_DIR/pg/PG_VERSION does not hold a version"
	printf '/usr/lib/postgresql/%s/bin\n' "$version"
}

# Where the server listens. A directory's group, and no other, reaches the socket in it: so nobody else can take connections away.
socket_directories() {
	printf '%s\n' "$STATE_DIR/run/pg" "${people_groups[@]/#ccp-/$STATE_DIR/run/}"
}

# The one for a role's own group.
socket_directory() { # ROLE
	[[ " ${people_groups[*]} " == *" ${1/_/-} "* ]] && printf '%s/run/%s' "$STATE_DIR" "${1#ccp_}" || printf '%s/run/pg' "$STATE_DIR"
}

# A connection string for root here, and for members of the role's group. The name of the role decides what it may do.
conninfo() { # ROLE [DBNAME]
	printf 'host=%s user=%s dbname=%s' "$(socket_directory "$1")" "$1" "${2:-ccp}"
}

postgres_conf() {
	cat <<-END
		# Written by deploy/scripts/up.
		listen_addresses = ''
		unix_socket_directories = '$(socket_directories | paste -s -d ,)'

		# The limits of all roles (db/roles.sql) and what is kept for the owner are no more than there are: no role takes
		# another's. Who connects and says nothing loses the place soon.
		max_connections = 200
		superuser_reserved_connections = 10
		authentication_timeout = '10s'

		# What one session may take from all: locks on every table, files for sorting.
		max_locks_per_transaction = 256
		temp_file_limit = '2GB'
		shared_buffers = '128MB'
		effective_cache_size = '512MB'
		max_wal_size = '512MB'
		random_page_cost = 1.1
		jit = off
		timezone = 'UTC'
		log_timezone = 'UTC'
		default_text_search_config = 'pg_catalog.simple'

		# A statement may hold what must not be in a log.
		log_min_error_statement = panic
		log_parameter_max_length = 0
		log_parameter_max_length_on_error = 0
		log_line_prefix = '%m [%p] %q%u@%d '

		# pg_cron's jobs run over connections: where no background worker can be started its launcher waits for it for ever.
		shared_preload_libraries = 'pg_cron'
		cron.database_name = 'postgres'
		cron.host = '$STATE_DIR/run/pg'
		cron.log_run = off
		cron.log_statement = off
		max_worker_processes = 16
	END
}

# A group's members, also those whose first group it is, as far as their names mean nothing else in pg_ident.conf.
group_members() { # GROUP
	local entry
	entry=$(getent group "$1")
	{
		tr , '\n' <<<"${entry##*:}"
		getent passwd | awk -F: -v gid="$(cut -d: -f3 <<<"$entry")" '$4 == gid { print $1 }'
	} | grep -xE '[A-Za-z0-9_][A-Za-z0-9_.-]*' | sort -u
}

# A program's system user is its role, and the members of a people's group are theirs; root may be each role that people and
# scripts use. The server's own user is pg_cron.
postgres_ident() {
	local role name
	for name in worker api sshproxy; do
		printf 'ccp  ccp-%s  ccp_%s\n' "$name" "$name"
	done
	printf 'ccp  ccp-postgres  %s\n' postgres ccp_cron
	printf 'ccp  root  %s\n' postgres ccp_agent "${people_groups[@]/-/_}"
	for role in "${people_groups[@]}"; do
		for name in $(group_members "$role"); do
			printf 'ccp  %s  %s\n' "$name" "${role/-/_}"
		done
	done
}

# Our roles have no business in the cluster's other databases, where nobody has taken from everyone what is everyone's.
postgres_hba() {
	printf 'local  postgres,template0,template1  postgres  peer map=ccp\n'
	printf 'local  postgres,template0,template1  all  reject\n'
	printf 'local  all  all  peer map=ccp\n'
}

as_postgres() { # COMMAND [ARG...]
	(cd / && setpriv --reuid ccp-postgres --regid ccp-postgres --clear-groups env -i PATH=/usr/bin:/bin LANG=C.UTF-8 "$@")
}

# Writes one of the cluster's configuration files from stdin; true when it was another before. The directory is the
# server's, so it is written with the server's rights: a link that lies there leads no farther than it could go itself.
postgres_file() { # NAME
	local new
	new=$(cat)
	[[ $new != "$(as_postgres cat "$STATE_DIR/pg/$1" 2>/dev/null)" ]] || return 1
	# shellcheck disable=SC2016 # expanded by the inner shell
	as_postgres sh -c 'umask 077 && cat >"$1.new" && mv -f "$1.new" "$1"' sh "$STATE_DIR/pg/$1" <<<"$new"
}

# A new cluster appears at once and whole, or not at all.
postgres_init() { # BINDIR
	rm -rf "$STATE_DIR/pg.new"
	install -d -m 700 -o ccp-postgres -g ccp-postgres "$STATE_DIR/pg.new"
	as_postgres "$1/initdb" -D "$STATE_DIR/pg.new" -U postgres -E UTF8 --locale=C.UTF-8 --auth=peer --no-instructions
	rmdir "$STATE_DIR/pg"
	mv "$STATE_DIR/pg.new" "$STATE_DIR/pg"
}

postgres_start() {
	local bin changed=
	bin=$(postgres_bin)
	[[ -e $STATE_DIR/pg/PG_VERSION ]] || postgres_init "$bin"
	postgres_conf | postgres_file postgresql.conf && changed=1
	[[ -z $changed || -z $(service_pid postgres) ]] || touch "$STATE_DIR/service/postgres/changed"
	changed=
	postgres_ident | postgres_file pg_ident.conf && changed=1
	postgres_hba | postgres_file pg_hba.conf && changed=1
	[[ -z $changed || -z $(service_pid postgres) ]] || sv hup "$STATE_DIR/service/postgres"
	service_start postgres
	service_wait postgres 60 pg_isready -q -t 3 -d "$(conninfo postgres postgres)"
}

# --- Docker: the machine's, or one of the stack's own

docker_answers() { # SOCKET
	curl -sf -m 5 -o /dev/null --unix-socket "$1" http://docker/_ping
}

# Our runtime is registered there, as `ccp`; nothing is said of whether it works.
docker_has_runtime() { # SOCKET
	curl -sf -m 5 --unix-socket "$1" http://docker/info | grep -q '"ccp":{"path":'
}

docker_is_ours() {
	[[ $CCP_DOCKER_SOCKET == "$STATE_DIR/run/docker.sock" ]]
}

docker_choose() {
	[[ ${CCP_OWN_DOCKER:-} == 1 || -z ${CCP_DOCKER_SOCKET:-} ]] || return 0
	CCP_DOCKER_SOCKET=$STATE_DIR/run/docker.sock
	if [[ ${CCP_OWN_DOCKER:-} != 1 ]] && docker_answers /var/run/docker.sock; then
		CCP_DOCKER_SOCKET=/var/run/docker.sock
	fi
}

# The docker client on this stack's engine, for at most docker_s seconds: half an hour is for a build on a slow machine.
docker_() {
	DOCKER_HOST=unix://$CCP_DOCKER_SOCKET DOCKER_BUILDKIT=0 timeout --foreground "${docker_s:-1800}" docker "$@"
}

cgroup_refusal="no control groups are mounted and mounting them at /sys/fs/cgroup failed: containers cannot be limited here"

# Where nothing has mounted the control groups (a chroot, a bare container), mounts them under our name: version 1 where the
# kernel has controllers in its hierarchies already, else version 2.
cgroup_mount() {
	local controllers hierarchies
	grep -qE '^([^ ]+ ){4}/sys/fs/cgroup[ /].* - cgroup2? ' /proc/self/mountinfo && return
	mkdir -p /sys/fs/cgroup
	mapfile -t hierarchies < <(awk -F: '$2 != "" && $2 !~ /^name=/ { print $2 }' /proc/self/cgroup)
	if [[ ${#hierarchies[@]} -eq 0 ]]; then
		mount -t cgroup2 cloud-cli-proxy /sys/fs/cgroup || die "$cgroup_refusal"
		return
	fi
	mount -t tmpfs -o mode=755 cloud-cli-proxy /sys/fs/cgroup || die "$cgroup_refusal"
	for controllers in "${hierarchies[@]}"; do
		mkdir "/sys/fs/cgroup/$controllers"
		mount -t cgroup -o "$controllers" cloud-cli-proxy "/sys/fs/cgroup/$controllers" || die "$cgroup_refusal"
	done
}

# The last stack that goes takes our mounts down.
cgroup_unmount() {
	if grep -qE ' /sys/fs/cgroup .* - (cgroup2|tmpfs) cloud-cli-proxy ' /proc/self/mountinfo && ! pgrep -x runsvdir >/dev/null; then
		umount -R /sys/fs/cgroup || true
	fi
}

docker_conf() {
	cat <<-END
		{
			"hosts": ["unix://$CCP_DOCKER_SOCKET"],
			"containerd": "$STATE_DIR/run/containerd.sock",
			"data-root": "$STATE_DIR/docker/data",
			"exec-root": "$STATE_DIR/run/docker",
			"pidfile": "$STATE_DIR/run/dockerd.pid",
			"group": "root",
			"bridge": "none",
			"iptables": false,
			"ip-forward": false,
			"live-restore": true,
			"runtimes": { "ccp": { "path": "$STATE_DIR/libexec/ccp-runtime" } },
			"log-driver": "local",
			"log-level": "warn"
		}
	END
}

# containerd is a service of its own, so that a dockerd that dies and comes back finds it and the containers as they were.
containerd_conf() {
	cat <<-END
		version = 2
		root = "$STATE_DIR/docker/containerd"
		state = "$STATE_DIR/run/containerd"
		disabled_plugins = ["io.containerd.grpc.v1.cri"]
		[grpc]
		  address = "$STATE_DIR/run/containerd.sock"
		[debug]
		  level = "warn"
	END
}

user_namespaces() {
	psql -X -qAt "$(conninfo ccp_dba)" -c "select value #>> '{}' from ccp.settings where name = 'user_namespaces'" 2>/dev/null ||
		printf 'required\n'
}

# The engine looks for its runtime when it makes a container.
runtime_install() {
	local flavour=${FLAVOUR:-release}
	[[ $flavour != [at]san ]] || flavour=release # it becomes runc, which has no sanitizer
	make -C "${checkout:?}" --no-print-directory FLAVOUR="$flavour" "build/$flavour/ccp-runtime"
	program_install "${checkout:?}/build/$flavour/ccp-runtime" ccp-runtime
}

# The machine's engine has a configuration of its own, which we do not write.
runtime_check() {
	[[ $(user_namespaces) == required ]] || return 0
	! docker_has_runtime "$CCP_DOCKER_SOCKET" || return 0
	cat <<-END
		the Docker engine at $CCP_DOCKER_SOCKET has no runtime ccp, so it cannot give containers user ids of their own.
		Add this to its configuration (/etc/docker/daemon.json) and have it read that again (systemctl reload docker):
		  "runtimes": { "ccp": { "path": "$STATE_DIR/libexec/ccp-runtime" } }
		Or let the stack have an engine of its own: CCP_OWN_DOCKER=1 make up
		Or do without, at the cost that ccp.doctor names:
		  psql '$(conninfo ccp_admin)' -c "select setting.put('user_namespaces', '\"off\"')"
	END
	return 1
}

docker_start() {
	local changed=
	if docker_is_ours; then
		cgroup_mount
		runtime_install
		docker_conf | cmp -s - "$STATE_DIR/docker/dockerd.json" || changed=1
		docker_conf | file_put 644 "$STATE_DIR/docker/dockerd.json"
		containerd_conf | file_put 644 "$STATE_DIR/docker/containerd.toml"
		service_start containerd
		service_wait containerd 30 ctr --connect-timeout 3s --timeout 3s -a "$STATE_DIR/run/containerd.sock" version
		# After a reboot the pid in it may be another process's, and dockerd would take that for another dockerd.
		[[ -n $(service_pid dockerd) ]] || rm -f "$STATE_DIR/run/dockerd.pid"
		# A running one takes over new runtimes; containers stay.
		[[ -z $changed || -z $(service_pid dockerd) ]] || sv hup "$STATE_DIR/service/dockerd"
		service_start dockerd
		service_wait dockerd 60 docker_has_runtime "$CCP_DOCKER_SOCKET"
	else
		docker_answers "$CCP_DOCKER_SOCKET" ||
			die "the machine's Docker engine does not answer at $CCP_DOCKER_SOCKET: start it, or let the stack have" \
				"one of its own: CCP_OWN_DOCKER=1 make up"
		runtime_install
		runtime_check
	fi
}

# Ends what our own engine holds: containers (their file systems stay), then itself, then what a dead engine left behind.
docker_end() {
	local running
	if docker_is_ours && docker_answers "$CCP_DOCKER_SOCKET"; then
		mapfile -t running < <(docker_s=10 docker_ ps -q)
		[[ ${#running[@]} -eq 0 ]] || docker_s=20 docker_ stop -t 5 "${running[@]}" >/dev/null ||
			say "docker stop failed (its message is above); what still runs is killed"
	fi
	docker_servers_end
}

docker_servers_end() {
	services_end dockerd containerd
	shims_end
}

shims() {
	pgrep -f "^[^ ]*containerd-shim.* -address $STATE_DIR/run/containerd.sock"
}

no_shims() {
	! shims
}

# The processes below the shims that have not ended.
shims_hold() {
	ps -e -o pid=,ppid=,stat= | awk -v shims="$(shims)" '
		BEGIN { count = split(shims, pids); for (i = 1; i <= count; i++) below[pids[i]] = 1 }
		{ parent[$1] = $2; ended[$1] = $3 ~ /^Z/ }
		END {
			do {
				more = 0
				for (pid in parent)
					if (!(pid in below) && (parent[pid] in below)) {
						below[pid] = more = 1
						if (!ended[pid]) print pid
					}
			} while (more)
		}'
}

# Stops the shims and kills what they hold; true once that has ended.
shims_empty() {
	local pids held
	mapfile -t pids < <(shims)
	[[ ${#pids[@]} -gt 0 ]] || return 0
	kill -STOP "${pids[@]}" || true
	mapfile -t held < <(shims_hold)
	[[ ${#held[@]} -gt 0 ]] || return 0
	kill -KILL "${held[@]}" || true
	return 1
}

# A container's shim outlives containerd on purpose. Below it are the container's PID 1 and what a start that was under way
# has made so far: stopped, it starts nothing more, and still gets what loses its parent.
shims_end() {
	wait_for 30 shims_empty
	shims | xargs -r kill -KILL || true
	wait_for 10 no_shims
}

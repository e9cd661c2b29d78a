# shellcheck shell=bash
# The stack's lab: a fake internet in network namespaces, so that the product shows all of itself without a VPN account.

# shellcheck disable=SC2154  # checkout comes from lib.sh
lab_() {
	timeout --foreground 120 "$checkout/tests/lab/lab" --prefix "$CCP_LAB_PREFIX" "$@"
}

# Where tunnels are born: the only part of the lab that the agent knows.
lab_uplink() {
	printf '/run/netns/%s-uplink\n' "$CCP_LAB_PREFIX"
}

# The provider adds and removes peers at the exits as a VPN company's portal would: it watches ccp.exit_peers.
lab_start() {
	lab_ up --stack "$STATE_DIR"
	lab_ provider start --stack "$STATE_DIR" --database "$(conninfo ccp_dba)"
}

# Ends the lab. The exits' keys stay unless the stack's data goes too: what the database says of the exits stays right.
lab_end() {
	[[ -e /var/lib/ccp-lab/$CCP_LAB_PREFIX || -e $(lab_uplink) ]] || return 0
	if [[ ${PURGE:-} == 1 ]]; then
		lab_ down --stack "$STATE_DIR" --purge
		rmdir --ignore-fail-on-non-empty /var/lib/ccp-lab
	else
		lab_ down --stack "$STATE_DIR"
	fi
	# `ip netns` mounts this for all labs; the last one takes it down.
	[[ -n $(ls -A /run/netns 2>/dev/null) ]] || umount /run/netns 2>/dev/null || true
}

# Sets LAB_... to what the lab says of itself; the demo's two exits get the first inside addresses, the upper half is free.
# shellcheck disable=SC2034  # used by those who source this
lab_load() {
	local lines
	lines=$(lab_ env)
	eval "$lines"
	read -r LAB_DEMO_PEER1 LAB_DEMO_PEER2 LAB_FREE_NET < <(/usr/bin/python3 -c '
import ipaddress, sys
net = ipaddress.ip_network(sys.argv[1])
print(f"{net[1]}/32 {net[2]}/32 {list(net.subnets(1))[1]}")' "$LAB_PEER_NET")
}

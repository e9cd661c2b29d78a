--
-- PostgreSQL database dump
--



SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

-- Name: COLUMN access_grants.address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(address) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.address IS 'Who asked for it.';


-- Name: COLUMN access_grants.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.created_at IS 'When it was made.';


-- Name: COLUMN access_grants.expires_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expires_at) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.expires_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.expires_at IS 'Worth nothing after this.';


-- Name: COLUMN access_grants.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.host_id IS 'Into which host.';


-- Name: COLUMN access_grants.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.id IS 'Identity.';


-- Name: COLUMN access_grants.key_sha256; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(key_sha256) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.key_sha256; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.key_sha256 IS 'SHA-256 of the one-time key''s blob, lower hex; null: own keys or password.';


-- Name: COLUMN access_grants.poll_token_sha256; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.poll_token_sha256 IS 'SHA-256 of the poll token, lower hex.';


-- Name: COLUMN access_grants.purpose; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(purpose) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.purpose; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.purpose IS 'bootstrap or entry.';


-- Name: COLUMN access_grants.task_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(task_id) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.task_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.task_id IS 'The start it waits for.';


-- Name: COLUMN access_grants.used_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(used_at) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.used_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.used_at IS 'When the one-time key came in.';


-- Name: COLUMN access_grants.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.access_grants TO ccp_dba;


-- Name: COLUMN access_grants.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.access_grants.user_id IS 'For whom.';


-- Name: COLUMN applied_files.applied_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(applied_at) ON TABLE ccp.applied_files TO ccp_dba;


-- Name: COLUMN applied_files.applied_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.applied_files.applied_at IS 'When it was last run.';


-- Name: COLUMN applied_files.checksum; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(checksum) ON TABLE ccp.applied_files TO ccp_dba;


-- Name: COLUMN applied_files.checksum; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.applied_files.checksum IS 'SHA-256 of its text.';


-- Name: COLUMN applied_files.name; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(name) ON TABLE ccp.applied_files TO ccp_dba;


-- Name: COLUMN applied_files.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.applied_files.name IS 'Folder and name of the file.';


-- Name: COLUMN bindings.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.created_at IS 'Since when.';


-- Name: COLUMN bindings.egress_ip_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(egress_ip_id) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.egress_ip_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.egress_ip_id IS 'The exit.';


-- Name: COLUMN bindings.ended_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ended_at) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.ended_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.ended_at IS 'Until when; null: live.';


-- Name: COLUMN bindings.exit_address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(exit_address) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.exit_address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.exit_address IS 'The exit''s address, copied for that user.';


-- Name: COLUMN bindings.exit_label; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(exit_label) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.exit_label; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.exit_label IS 'The exit''s label, copied for that user.';


-- Name: COLUMN bindings.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.host_id IS 'The host.';


-- Name: COLUMN bindings.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.id IS 'Identity.';


-- Name: COLUMN bindings.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.bindings TO ccp_dba;


-- Name: COLUMN bindings.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.bindings.user_id IS 'The host''s user, who may see this row.';


-- Name: COLUMN doctor.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.doctor.name IS 'Its name.';


-- Name: COLUMN doctor.ok; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.doctor.ok IS 'Whether it is as it should be.';


-- Name: COLUMN doctor.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.doctor.why IS 'The answer, as a sentence.';


-- Name: COLUMN egress_ips.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.created_at IS 'When the row was made.';


-- Name: COLUMN egress_ips.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.id IS 'Identity.';


-- Name: COLUMN egress_ips.ip_address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ip_address) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.ip_address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.ip_address IS 'Address the world must see; verified, never learnt.';


-- Name: COLUMN egress_ips.label; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(label) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.label; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.label IS 'What people call it.';


-- Name: COLUMN egress_ips.provider; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(provider) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.provider; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.provider IS 'Who sells it.';


-- Name: COLUMN egress_ips.status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.status IS 'active, or disabled: takes no new binding.';


-- Name: COLUMN egress_ips.tunnel_type; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(tunnel_type) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.tunnel_type; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.tunnel_type IS 'How traffic gets there.';


-- Name: COLUMN egress_ips.updated_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(updated_at) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.updated_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.updated_at IS 'When it was last edited.';


-- Name: COLUMN egress_ips.version; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(version) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.version; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.version IS 'Rises with each edit; the ETag.';


-- Name: COLUMN egress_ips.wg_allowed_ips; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_allowed_ips) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.wg_allowed_ips; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_allowed_ips IS 'What is routed into the tunnel.';


-- Name: COLUMN egress_ips.wg_dns_server; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_dns_server) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.wg_dns_server; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_dns_server IS 'The only resolver a host behind this exit may ask.';


-- Name: COLUMN egress_ips.wg_endpoint; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_endpoint) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.wg_endpoint; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_endpoint IS 'Address and port of the exit. Names are not resolved: who answers the question could choose the exit.';


-- Name: COLUMN egress_ips.wg_mtu; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_mtu) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.wg_mtu; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_mtu IS 'MTU of the tunnel in bytes.';


-- Name: COLUMN egress_ips.wg_peer_address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_peer_address) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.wg_peer_address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_peer_address IS 'Our address inside the tunnel, host bits kept.';


-- Name: COLUMN egress_ips.wg_preshared_key_sealed; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_preshared_key_sealed IS 'Preshared key, sealed to the installation (base64); only agents open it.';


-- Name: COLUMN egress_ips.wg_public_key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_public_key) ON TABLE ccp.egress_ips TO ccp_dba;


-- Name: COLUMN egress_ips.wg_public_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.egress_ips.wg_public_key IS 'The exit''s public key (base64).';


-- Name: COLUMN events.actor; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(actor) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.actor; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.actor IS 'Who: a username, a program''s role, or the database session.';


-- Name: COLUMN events.actor_address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(actor_address) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.actor_address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.actor_address IS 'From where, if known.';


-- Name: COLUMN events.actor_role; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(actor_role) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.actor_role; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.actor_role IS 'user, admin, program or database.';


-- Name: COLUMN events.at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(at) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.at IS 'When.';


-- Name: COLUMN events.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.host_id IS 'The host it is about.';


-- Name: COLUMN events.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.id IS 'Identity; not a cursor: ids are not committed in order.';


-- Name: COLUMN events.level; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(level) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.level; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.level IS 'debug, info, warning, error.';


-- Name: COLUMN events.message; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(message) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.message IS 'What happened, as a sentence.';


-- Name: COLUMN events.metadata; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(metadata) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.metadata; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.metadata IS 'Details; never a secret.';


-- Name: COLUMN events.task_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(task_id) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.task_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.task_id IS 'The task it is about.';


-- Name: COLUMN events.type; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(type) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.type; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.type IS 'Dotted name.';


-- Name: COLUMN events.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.user_id IS 'The user it is about.';


-- Name: COLUMN events.xid; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(xid) ON TABLE ccp.events TO ccp_dba;


-- Name: COLUMN events.xid; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.events.xid IS 'Transaction that wrote it; the live stream reads by snapshot.';


-- Name: COLUMN exit_peers.egress_ip_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.exit_peers.egress_ip_id IS 'Id of the exit.';


-- Name: COLUMN exit_peers.exit_public_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.exit_peers.exit_public_key IS 'The exit''s own key.';


-- Name: COLUMN exit_peers.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.exit_peers.host_id IS 'Id of the host.';


-- Name: COLUMN exit_peers.host_public_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.exit_peers.host_public_key IS 'The key to register.';


-- Name: COLUMN exit_peers.peer_address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.exit_peers.peer_address IS 'The inside address to register it with.';


-- Name: COLUMN exit_peers.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.exit_peers.why IS 'The answer, as a sentence.';


-- Name: COLUMN host_edges.from_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(from_status) ON TABLE ccp.host_edges TO ccp_dba;


-- Name: COLUMN host_edges.from_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_edges.from_status IS 'Status before.';


-- Name: COLUMN host_edges.to_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(to_status) ON TABLE ccp.host_edges TO ccp_dba;


-- Name: COLUMN host_edges.to_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_edges.to_status IS 'Status after.';


-- Name: COLUMN host_remedies.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kind) ON TABLE ccp.host_remedies TO ccp_dba;


-- Name: COLUMN host_remedies.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_remedies.kind IS 'The task to enqueue.';


-- Name: COLUMN host_remedies.status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status) ON TABLE ccp.host_remedies TO ccp_dba;


-- Name: COLUMN host_remedies.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_remedies.status IS 'The host''s status.';


-- Name: COLUMN host_remedies.wanted; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wanted) ON TABLE ccp.host_remedies TO ccp_dba;


-- Name: COLUMN host_remedies.wanted; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_remedies.wanted IS 'What is wanted now: stopped for an expired or disabled user, else the host''s desired.';


-- Name: COLUMN host_status.desired; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.desired IS 'What its owner wants.';


-- Name: COLUMN host_status.exit; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.exit IS 'Label of its exit.';


-- Name: COLUMN host_status.exit_address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.exit_address IS 'Address the world must see.';


-- Name: COLUMN host_status.host; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.host IS 'Short id of the host.';


-- Name: COLUMN host_status.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.id IS 'Identity.';


-- Name: COLUMN host_status.node; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.node IS 'The machine.';


-- Name: COLUMN host_status.observed; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.observed IS 'What the agent last saw.';


-- Name: COLUMN host_status.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.status IS 'What it is now.';


-- Name: COLUMN host_status.username; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.username IS 'Whose it is.';


-- Name: COLUMN host_status.verified_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.verified_at IS 'When the exit was last fully proven.';


-- Name: COLUMN host_status.wanted; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.wanted IS 'What is wanted now: stopped for an expired or disabled user.';


-- Name: COLUMN host_status.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_status.why IS 'The answer, as a sentence.';


-- Name: COLUMN host_statuses.description; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(description) ON TABLE ccp.host_statuses TO ccp_dba;


-- Name: COLUMN host_statuses.description; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_statuses.description IS 'What it means, as the end of "the host ...".';


-- Name: COLUMN host_statuses.status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status) ON TABLE ccp.host_statuses TO ccp_dba;


-- Name: COLUMN host_statuses.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_statuses.status IS 'The word.';


-- Name: COLUMN host_wants.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_wants.host_id IS 'Id of the host.';


-- Name: COLUMN host_wants.user_state; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_wants.user_state IS 'active, expired or disabled.';


-- Name: COLUMN host_wants.wanted; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_wants.wanted IS 'What is wanted now: stopped for an expired or disabled user.';


-- Name: COLUMN host_wants.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.host_wants.why IS 'The answer, as a sentence.';


-- Name: COLUMN hosts.cpu_limit; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(cpu_limit) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(cpu_limit) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.cpu_limit; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.cpu_limit IS 'CPU limit in cores.';


-- Name: COLUMN hosts.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(created_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.created_at IS 'When it was ordered.';


-- Name: COLUMN hosts.deleted_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(deleted_at) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(deleted_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.deleted_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.deleted_at IS 'When it was deleted; the row is purged after tombstone_retention_days.';


-- Name: COLUMN hosts.desired; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(desired) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(desired) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.desired; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.desired IS 'What its owner wants: running, stopped or absent.';


-- Name: COLUMN hosts.disk_limit_gb; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(disk_limit_gb) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(disk_limit_gb) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.disk_limit_gb; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.disk_limit_gb IS 'Size of the home in GiB; null: unlimited.';


-- Name: COLUMN hosts.error_code; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(error_code) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(error_code) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.error_code; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.error_code IS 'What went wrong last; cleared by success.';


-- Name: COLUMN hosts.error_message; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(error_message) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(error_message) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.error_message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.error_message IS 'The same as a sentence.';


-- Name: COLUMN hosts.failures; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(failures) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.failures; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.failures IS 'Failures in a row; each doubles the wait before reconciliation tries again.';


-- Name: COLUMN hosts.finished_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(finished_at) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(finished_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.finished_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.finished_at IS 'When its last task ended; an observation counts only if it is newer.';


-- Name: COLUMN hosts.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(id) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.id IS 'Identity.';


-- Name: COLUMN hosts.image; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(image) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(image) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.image; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.image IS 'Image by name.';


-- Name: COLUMN hosts.image_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(image_id) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(image_id) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.image_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.image_id IS 'Image by digest, pinned by host.create and host.rebuild.';


-- Name: COLUMN hosts.memory_limit_mb; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(memory_limit_mb) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(memory_limit_mb) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.memory_limit_mb; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.memory_limit_mb IS 'Memory limit in MiB.';


-- Name: COLUMN hosts.node_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(node_id) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(node_id) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.node_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.node_id IS 'The machine it lives on.';


-- Name: COLUMN hosts.pids_limit; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(pids_limit) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(pids_limit) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.pids_limit; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.pids_limit IS 'Limit on processes and threads.';


-- Name: COLUMN hosts.retry_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(retry_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.retry_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.retry_at IS 'Reconciliation waits until then.';


-- Name: COLUMN hosts.short_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(short_id) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(short_id) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.short_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.short_id IS 'Short public id and ssh user name; never reused.';


-- Name: COLUMN hosts.ssh_host_key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ssh_host_key) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(ssh_host_key) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.ssh_host_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.ssh_host_key IS 'Public host key of the container''s own sshd.';


-- Name: COLUMN hosts.ssh_password_changed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ssh_password_changed_at),UPDATE(ssh_password_changed_at) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(ssh_password_changed_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.ssh_password_changed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.ssh_password_changed_at IS 'When the ssh password last changed.';


-- Name: COLUMN hosts.ssh_password_hash; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT UPDATE(ssh_password_hash) ON TABLE ccp.hosts TO ccp_as_user;


-- Name: COLUMN hosts.ssh_password_hash; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.ssh_password_hash IS 'yescrypt of the ssh password, checked by the ssh monitor only; null: keys only.';


-- Name: COLUMN hosts.status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(status) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.status IS 'What is: see ccp.host_statuses.';


-- Name: COLUMN hosts.status_changed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status_changed_at) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(status_changed_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.status_changed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.status_changed_at IS 'When status last changed.';


-- Name: COLUMN hosts.sudo; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(sudo) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(sudo) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.sudo; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.sudo IS 'The user may become root inside.';


-- Name: COLUMN hosts.timezone; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(timezone) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(timezone) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.timezone; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.timezone IS 'TZ inside.';


-- Name: COLUMN hosts.updated_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(updated_at) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(updated_at) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.updated_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.updated_at IS 'When people last edited it.';


-- Name: COLUMN hosts.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(user_id) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.user_id IS 'Whose host.';


-- Name: COLUMN hosts.version; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(version) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(version) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.version; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.version IS 'Rises with each edit by people; the ETag.';


-- Name: COLUMN hosts.wg_public_key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(wg_public_key) ON TABLE ccp.hosts TO ccp_as_user;
GRANT SELECT(wg_public_key) ON TABLE ccp.hosts TO ccp_dba;


-- Name: COLUMN hosts.wg_public_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.hosts.wg_public_key IS 'The host''s tunnel key, public half; to be registered at the exit.';


-- Name: COLUMN idempotency_keys.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.created_at IS 'When.';


-- Name: COLUMN idempotency_keys.ids; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ids) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.ids; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.ids IS 'Ids of what was made.';


-- Name: COLUMN idempotency_keys.key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(key) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.key IS 'The header''s value.';


-- Name: COLUMN idempotency_keys.request_sha256; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(request_sha256) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.request_sha256; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.request_sha256 IS 'Digest of the request; the same key with another request is refused.';


-- Name: COLUMN idempotency_keys.route; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(route) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.route; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.route IS 'Method and path.';


-- Name: COLUMN idempotency_keys.status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.status IS 'HTTP status that was answered.';


-- Name: COLUMN idempotency_keys.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.idempotency_keys TO ccp_dba;


-- Name: COLUMN idempotency_keys.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.idempotency_keys.user_id IS 'Who sent it.';


-- Name: COLUMN logins.address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(address) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.address IS 'Where the user came from.';


-- Name: COLUMN logins.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.created_at IS 'When the user logged in.';


-- Name: COLUMN logins.expires_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expires_at) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.expires_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.expires_at IS 'No token of the family counts after this.';


-- Name: COLUMN logins.generation; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(generation) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.generation; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.generation IS 'Only tokens of this generation count; a refresh raises it.';


-- Name: COLUMN logins.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.id IS 'Identity; the claim lid of its tokens.';


-- Name: COLUMN logins.refreshed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(refreshed_at) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.refreshed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.refreshed_at IS 'When a token was last made.';


-- Name: COLUMN logins.revoke_reason; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(revoke_reason) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.revoke_reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.revoke_reason IS 'Why: logout, reuse, password, admin.';


-- Name: COLUMN logins.revoked_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(revoked_at) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.revoked_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.revoked_at IS 'When it was logged out or revoked.';


-- Name: COLUMN logins.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.logins TO ccp_dba;


-- Name: COLUMN logins.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.logins.user_id IS 'Whose login.';


-- Name: COLUMN nodes.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.nodes TO ccp_dba;


-- Name: COLUMN nodes.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.nodes.created_at IS 'When a program first registered there.';


-- Name: COLUMN nodes.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.nodes TO ccp_dba;


-- Name: COLUMN nodes.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.nodes.id IS 'Identity; part of the agent''s queue name.';


-- Name: COLUMN nodes.name; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(name) ON TABLE ccp.nodes TO ccp_dba;


-- Name: COLUMN nodes.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.nodes.name IS 'Host name of the machine.';


-- Name: COLUMN now.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.now.name IS 'Its name.';


-- Name: COLUMN now.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.now.status IS 'What it is now.';


-- Name: COLUMN now.what; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.now.what IS 'What sort of thing.';


-- Name: COLUMN now.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.now.why IS 'The answer, as a sentence.';


-- Name: COLUMN observations.code; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(code) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.code; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.code IS 'Why, as an error code.';


-- Name: COLUMN observations.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.host_id IS 'The host.';


-- Name: COLUMN observations.message; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(message) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.message IS 'Why, as a sentence.';


-- Name: COLUMN observations.observed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(observed_at) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.observed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.observed_at IS 'When it was seen, by the agent''s clock.';


-- Name: COLUMN observations.process_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(process_id) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.process_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.process_id IS 'The agent that saw it.';


-- Name: COLUMN observations.sequence; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(sequence) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.sequence; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.sequence IS 'Rises with each observation of one agent; an older one never overwrites a newer.';


-- Name: COLUMN observations.state; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(state) ON TABLE ccp.observations TO ccp_dba;


-- Name: COLUMN observations.state; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.observations.state IS 'running (open and proven), closed (container runs, wall closed), stopped (container ended), absent (no container).';


-- Name: COLUMN penalties.expires_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expires_at) ON TABLE ccp.penalties TO ccp_dba;


-- Name: COLUMN penalties.expires_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalties.expires_at IS 'When the penalty has passed.';


-- Name: COLUMN penalties.reason; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(reason) ON TABLE ccp.penalties TO ccp_dba;


-- Name: COLUMN penalties.reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalties.reason IS 'The last offence.';


-- Name: COLUMN penalties.refused; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(refused) ON TABLE ccp.penalties TO ccp_dba;


-- Name: COLUMN penalties.refused; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalties.refused IS 'The threshold was reached: refused until expires_at.';


-- Name: COLUMN penalties.source; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(source) ON TABLE ccp.penalties TO ccp_dba;


-- Name: COLUMN penalties.source; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalties.source IS 'A network (/32 or /64), or a digest of the name that was tried there, @, and the network: the name may be a password typed into the wrong field.';


-- Name: COLUMN penalties.updated_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(updated_at) ON TABLE ccp.penalties TO ccp_dba;


-- Name: COLUMN penalties.updated_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalties.updated_at IS 'When the last offence was.';


-- Name: COLUMN penalty_rules.description; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(description) ON TABLE ccp.penalty_rules TO ccp_dba;


-- Name: COLUMN penalty_rules.description; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalty_rules.description IS 'What happened.';


-- Name: COLUMN penalty_rules.reason; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(reason) ON TABLE ccp.penalty_rules TO ccp_dba;


-- Name: COLUMN penalty_rules.reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalty_rules.reason IS 'The offence.';


-- Name: COLUMN penalty_rules.seconds; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(seconds) ON TABLE ccp.penalty_rules TO ccp_dba;


-- Name: COLUMN penalty_rules.seconds; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.penalty_rules.seconds IS 'Seconds it adds.';


-- Name: COLUMN processes.beat_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(beat_at) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.beat_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.beat_at IS 'When it was last heard of.';


-- Name: COLUMN processes.end_reason; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(end_reason) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.end_reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.end_reason IS 'stopped (clean), replaced (its successor holds the lock), silent (no beat), overdue (kept a task past its deadline).';


-- Name: COLUMN processes.ended_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ended_at) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.ended_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.ended_at IS 'When it stopped or was declared dead.';


-- Name: COLUMN processes.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.id IS 'Identity that the program passes in every call.';


-- Name: COLUMN processes.node_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(node_id) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.node_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.node_id IS 'The machine it runs on.';


-- Name: COLUMN processes.pid; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(pid) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.pid; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.pid IS 'Process id on that machine, for people.';


-- Name: COLUMN processes.program; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(program) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.program; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.program IS 'Which program.';


-- Name: COLUMN processes.queue; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(queue) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.queue; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.queue IS 'NOTIFY channel it listens on, and queue it claims from.';


-- Name: COLUMN processes.started_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(started_at) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.started_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.started_at IS 'When it registered.';


-- Name: COLUMN processes.version; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(version) ON TABLE ccp.processes TO ccp_dba;


-- Name: COLUMN processes.version; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.processes.version IS 'Version of the program.';


-- Name: COLUMN rules.allowed_from; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.allowed_from IS 'Statuses it may begin from.';


-- Name: COLUMN rules.attempts; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.attempts IS 'Tries, if the failure can pass.';


-- Name: COLUMN rules.canceled; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.canceled IS 'Status of the host when it was canceled.';


-- Name: COLUMN rules.deadline; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.deadline IS 'Time until it is asked to stop.';


-- Name: COLUMN rules.desired; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.desired IS 'What its owner wants.';


-- Name: COLUMN rules.done; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.done IS 'Status of the host when it succeeded.';


-- Name: COLUMN rules.failed; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.failed IS 'Status of the host when it failed.';


-- Name: COLUMN rules.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.kind IS 'Kind of task.';


-- Name: COLUMN rules.meanwhile; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.meanwhile IS 'Status of the host while it is next or runs.';


-- Name: COLUMN rules.params; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.params IS 'Parameters and the pattern each must match.';


-- Name: COLUMN rules.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.rules.why IS 'The answer, as a sentence.';


-- Name: COLUMN sessions.address; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(address) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.address IS 'From where.';


-- Name: COLUMN sessions.bytes_down; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(bytes_down) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.bytes_down; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.bytes_down IS 'Bytes to the user.';


-- Name: COLUMN sessions.bytes_up; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(bytes_up) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.bytes_up; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.bytes_up IS 'Bytes from the user.';


-- Name: COLUMN sessions.confirmed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(confirmed_at) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.confirmed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.confirmed_at IS 'When it first had connected.';


-- Name: COLUMN sessions.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.created_at IS 'When the user was let in.';


-- Name: COLUMN sessions.end_reason; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT UPDATE(end_reason) ON TABLE ccp.sessions TO ccp_as_user;
GRANT SELECT(end_reason) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.end_reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.end_reason IS 'Why it ends or ended.';


-- Name: COLUMN sessions.end_requested_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT UPDATE(end_requested_at) ON TABLE ccp.sessions TO ccp_as_user;
GRANT SELECT(end_requested_at) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.end_requested_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.end_requested_at IS 'When the rules asked for its end.';


-- Name: COLUMN sessions.ended_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ended_at) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.ended_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.ended_at IS 'When it ended.';


-- Name: COLUMN sessions.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.host_id IS 'Where.';


-- Name: COLUMN sessions.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.id IS 'Identity.';


-- Name: COLUMN sessions.key_sha256; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(key_sha256) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.key_sha256; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.key_sha256 IS 'With which key.';


-- Name: COLUMN sessions.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kind) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.kind IS 'ssh or desktop.';


-- Name: COLUMN sessions.method; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(method) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.method; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.method IS 'How the user came in: key, grant (one-time key), password, token.';


-- Name: COLUMN sessions.opened_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(opened_at) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.opened_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.opened_at IS 'When the agent was first asked to connect into the host.';


-- Name: COLUMN sessions.process_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(process_id) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.process_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.process_id IS 'The program that holds the connection; its death ends the session.';


-- Name: COLUMN sessions.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.sessions TO ccp_dba;


-- Name: COLUMN sessions.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.sessions.user_id IS 'Who.';


-- Name: COLUMN settings.description; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(description) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.description; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.description IS 'What it does, with its unit.';


-- Name: COLUMN settings.max; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(max) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.max; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.max IS 'The greatest.';


-- Name: COLUMN settings.min; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(min) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.min; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.min IS 'The least number, or the least length of the text or list.';


-- Name: COLUMN settings.name; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(name) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.name IS 'Name of the setting.';


-- Name: COLUMN settings.optional; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(optional) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.optional; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.optional IS 'It may be null.';


-- Name: COLUMN settings.pattern; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(pattern) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.pattern; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.pattern IS 'What the text, or each text of the list, must match; one of a list has at most 512 characters.';


-- Name: COLUMN settings.type; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(type) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.type; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.type IS 'number (whole), text, or a list: of texts, or of networks (addresses are networks of one).';


-- Name: COLUMN settings.updated_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(updated_at) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.updated_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.updated_at IS 'When it last changed.';


-- Name: COLUMN settings.value; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(value) ON TABLE ccp.settings TO ccp_dba;


-- Name: COLUMN settings.value; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.settings.value IS 'Its value as JSON; null when it was never set.';


-- Name: COLUMN signing_keys.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.signing_keys TO ccp_dba;


-- Name: COLUMN signing_keys.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.signing_keys.created_at IS 'When it was made.';


-- Name: COLUMN signing_keys.expires_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expires_at) ON TABLE ccp.signing_keys TO ccp_dba;


-- Name: COLUMN signing_keys.expires_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.signing_keys.expires_at IS 'When it stops verifying.';


-- Name: COLUMN signing_keys.kid; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kid) ON TABLE ccp.signing_keys TO ccp_dba;


-- Name: COLUMN signing_keys.kid; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.signing_keys.kid IS 'Key id in the token''s header.';


-- Name: COLUMN signing_keys.retired_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(retired_at) ON TABLE ccp.signing_keys TO ccp_dba;


-- Name: COLUMN signing_keys.retired_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.signing_keys.retired_at IS 'When it stopped signing.';


-- Name: COLUMN signing_keys.secret; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.signing_keys.secret IS 'The key: 32 random bytes.';


-- Name: COLUMN ssh_keys.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.created_at IS 'When it was registered.';


-- Name: COLUMN ssh_keys.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.id IS 'Identity.';


-- Name: COLUMN ssh_keys.key_sha256; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(key_sha256) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.key_sha256; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.key_sha256 IS 'SHA-256 of the key blob, lower hex.';


-- Name: COLUMN ssh_keys.last_used_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(last_used_at) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.last_used_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.last_used_at IS 'When somebody last came in with it.';


-- Name: COLUMN ssh_keys.name; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(name) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.name IS 'What the user calls it.';


-- Name: COLUMN ssh_keys.public_key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(public_key) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.public_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.public_key IS 'type and base64, no comment.';


-- Name: COLUMN ssh_keys.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.ssh_keys TO ccp_dba;


-- Name: COLUMN ssh_keys.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ssh_keys.user_id IS 'Whose key.';


-- Name: COLUMN stuck.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.stuck.id IS 'Identity.';


-- Name: COLUMN stuck.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.stuck.name IS 'Its name.';


-- Name: COLUMN stuck.since; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.stuck.since IS 'Since when.';


-- Name: COLUMN stuck.what; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.stuck.what IS 'What sort of thing.';


-- Name: COLUMN stuck.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.stuck.why IS 'The answer, as a sentence.';


-- Name: COLUMN task_edges.description; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(description) ON TABLE ccp.task_edges TO ccp_dba;


-- Name: COLUMN task_edges.description; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_edges.description IS 'When that happens.';


-- Name: COLUMN task_edges.from_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(from_status) ON TABLE ccp.task_edges TO ccp_dba;


-- Name: COLUMN task_edges.from_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_edges.from_status IS 'Status before.';


-- Name: COLUMN task_edges.to_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(to_status) ON TABLE ccp.task_edges TO ccp_dba;


-- Name: COLUMN task_edges.to_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_edges.to_status IS 'Status after.';


-- Name: COLUMN task_kinds.attempts_max; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(attempts_max) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.attempts_max; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.attempts_max IS 'Tries, if the failure can pass.';


-- Name: COLUMN task_kinds.canceled_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(canceled_status) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.canceled_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.canceled_status IS 'Status of the host when it was stopped on request.';


-- Name: COLUMN task_kinds.deadline; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(deadline) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.deadline; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.deadline IS 'Time from claim until it is asked to stop.';


-- Name: COLUMN task_kinds.description; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(description) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.description; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.description IS 'What it does.';


-- Name: COLUMN task_kinds.desired; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(desired) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.desired; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.desired IS 'What a person who asks for it wants from then on; null: unchanged.';


-- Name: COLUMN task_kinds.desired_canceled; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(desired_canceled) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.desired_canceled; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.desired_canceled IS 'What a person who cancels it wants from then on; null: unchanged.';


-- Name: COLUMN task_kinds.done_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(done_status) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.done_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.done_status IS 'Status of the host when it has succeeded.';


-- Name: COLUMN task_kinds.done_unwanted_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(done_unwanted_status) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.done_unwanted_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.done_unwanted_status IS 'That status when the host is not wanted running; null: the same.';


-- Name: COLUMN task_kinds.failed_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(failed_status) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.failed_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.failed_status IS 'Status of the host when it has failed.';


-- Name: COLUMN task_kinds.from_statuses; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(from_statuses) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.from_statuses; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.from_statuses IS 'Statuses it may begin from.';


-- Name: COLUMN task_kinds.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kind) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.kind IS 'Name of the kind.';


-- Name: COLUMN task_kinds.losses_max; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(losses_max) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.losses_max; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.losses_max IS 'How often it may lose its process before it fails.';


-- Name: COLUMN task_kinds.needs_active_user; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(needs_active_user) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.needs_active_user; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.needs_active_user IS 'Refused when the host''s user is expired or disabled.';


-- Name: COLUMN task_kinds.needs_binding; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(needs_binding) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.needs_binding; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.needs_binding IS 'Refused when the host has no exit.';


-- Name: COLUMN task_kinds.needs_creation; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(needs_creation) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.needs_creation; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.needs_creation IS 'Cannot begin while the host was never created: reconciliation creates it first.';


-- Name: COLUMN task_kinds.queue; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(queue) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.queue; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.queue IS 'Who claims it: the worker, or the agent of the host''s node.';


-- Name: COLUMN task_kinds.stopped_by; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(stopped_by) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.stopped_by; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.stopped_by IS 'Kinds that ask a running task of this kind to stop.';


-- Name: COLUMN task_kinds.subject; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(subject) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.subject; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.subject IS 'What it works on: a host, or nothing.';


-- Name: COLUMN task_kinds.superseded_by; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(superseded_by) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.superseded_by; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.superseded_by IS 'Kinds that cancel a queued task of this kind.';


-- Name: COLUMN task_kinds.waits; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(waits) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.waits; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.waits IS 'A busy host lets it wait behind a running task it cannot stop; otherwise CP409.';


-- Name: COLUMN task_kinds.while_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(while_status) ON TABLE ccp.task_kinds TO ccp_dba;


-- Name: COLUMN task_kinds.while_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_kinds.while_status IS 'Status of the host from the moment the task is its next one.';


-- Name: COLUMN task_params.default_value; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(default_value) ON TABLE ccp.task_params TO ccp_dba;


-- Name: COLUMN task_params.default_value; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_params.default_value IS 'What its absence means: a request that says it is the same as one that does not.';


-- Name: COLUMN task_params.description; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(description) ON TABLE ccp.task_params TO ccp_dba;


-- Name: COLUMN task_params.description; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_params.description IS 'What it does.';


-- Name: COLUMN task_params.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kind) ON TABLE ccp.task_params TO ccp_dba;


-- Name: COLUMN task_params.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_params.kind IS 'The kind.';


-- Name: COLUMN task_params.name; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(name) ON TABLE ccp.task_params TO ccp_dba;


-- Name: COLUMN task_params.name; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_params.name IS 'Name of the parameter.';


-- Name: COLUMN task_params.pattern; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(pattern) ON TABLE ccp.task_params TO ccp_dba;


-- Name: COLUMN task_params.pattern; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_params.pattern IS 'Regular expression that the value must match as a whole.';


-- Name: COLUMN task_rows.attempt; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(attempt) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.attempt; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.attempt IS 'How many tries have begun and counted.';


-- Name: COLUMN task_rows.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.created_at IS 'When it was asked for.';


-- Name: COLUMN task_rows.created_by; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_by) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.created_by; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.created_by IS 'Who asked.';


-- Name: COLUMN task_rows.deadline_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(deadline_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.deadline_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.deadline_at IS 'Asked to stop after this.';


-- Name: COLUMN task_rows.error_code; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(error_code) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.error_code; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.error_code IS 'Why it failed or was canceled, or why the last try failed.';


-- Name: COLUMN task_rows.error_message; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(error_message) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.error_message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.error_message IS 'The same as a sentence.';


-- Name: COLUMN task_rows.finished_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(finished_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.finished_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.finished_at IS 'When it ended.';


-- Name: COLUMN task_rows.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.host_id IS 'The host it works on.';


-- Name: COLUMN task_rows.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.id IS 'Identity.';


-- Name: COLUMN task_rows.idempotency_key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(idempotency_key) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.idempotency_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.idempotency_key IS 'The enqueuer''s name for this request; the same again returns this row.';


-- Name: COLUMN task_rows.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kind) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.kind IS 'What to do: see ccp.task_kinds.';


-- Name: COLUMN task_rows.lease; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(lease) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.lease; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.lease IS 'The claim''s number; reports must carry it.';


-- Name: COLUMN task_rows.losses; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(losses) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.losses; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.losses IS 'How often its process died.';


-- Name: COLUMN task_rows.message; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(message) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.message IS 'The step as a sentence.';


-- Name: COLUMN task_rows.needs_active_user; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(needs_active_user) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.needs_active_user; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.needs_active_user IS 'Not claimed while its user is expired or disabled.';


-- Name: COLUMN task_rows.params; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(params) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.params; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.params IS 'Parameters: see ccp.task_params.';


-- Name: COLUMN task_rows.process_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(process_id) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.process_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.process_id IS 'Who runs it.';


-- Name: COLUMN task_rows.progress; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(progress) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.progress; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.progress IS 'Percentage.';


-- Name: COLUMN task_rows.progressed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(progressed_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.progressed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.progressed_at IS 'When it last reported progress.';


-- Name: COLUMN task_rows.queue; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(queue) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.queue; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.queue IS 'Channel and queue: ccp_worker, or ccp_agent_<node id>.';


-- Name: COLUMN task_rows.reported; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(reported) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.reported; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.reported IS 'The answer it got; the same report again gets it again.';


-- Name: COLUMN task_rows.reported_lease; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(reported_lease) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.reported_lease; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.reported_lease IS 'Lease of the last final report.';


-- Name: COLUMN task_rows.result; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(result) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.result; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.result IS 'What it brought.';


-- Name: COLUMN task_rows.retryable; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(retryable) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.retryable; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.retryable IS 'Whether trying again may help.';


-- Name: COLUMN task_rows.run_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(run_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.run_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.run_at IS 'Not claimed before; moved only by a retry.';


-- Name: COLUMN task_rows.stage; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(stage) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.stage; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.stage IS 'The step it is in.';


-- Name: COLUMN task_rows.started_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(started_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.started_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.started_at IS 'When it was last claimed.';


-- Name: COLUMN task_rows.status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(status) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.status IS 'queued, running, succeeded, failed or canceled.';


-- Name: COLUMN task_rows.stop_reason; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(stop_reason) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.stop_reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.stop_reason IS 'Why: canceled, superseded, deadline.';


-- Name: COLUMN task_rows.stop_requested_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(stop_requested_at) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.stop_requested_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.stop_requested_at IS 'When it was asked to stop.';


-- Name: COLUMN task_rows.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.task_rows TO ccp_dba;


-- Name: COLUMN task_rows.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_rows.user_id IS 'That host''s user.';


-- Name: COLUMN task_status.attempt; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.attempt IS 'How many tries have begun.';


-- Name: COLUMN task_status.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.created_at IS 'When it was asked for.';


-- Name: COLUMN task_status.finished_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.finished_at IS 'When it ended.';


-- Name: COLUMN task_status.host; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.host IS 'Short id of the host.';


-- Name: COLUMN task_status.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.id IS 'Identity.';


-- Name: COLUMN task_status.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.kind IS 'Kind of task.';


-- Name: COLUMN task_status.stage; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.stage IS 'The step it is in.';


-- Name: COLUMN task_status.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.status IS 'What it is now.';


-- Name: COLUMN task_status.username; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.username IS 'Whose it is.';


-- Name: COLUMN task_status.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.task_status.why IS 'The answer, as a sentence.';


-- Name: COLUMN tasks.attempt; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.attempt IS 'How many tries have begun.';


-- Name: COLUMN tasks.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.created_at IS 'When it was asked for.';


-- Name: COLUMN tasks.created_by; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.created_by IS 'Who asked.';


-- Name: COLUMN tasks.error_code; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.error_code IS 'Why it failed or was canceled.';


-- Name: COLUMN tasks.error_message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.error_message IS 'The same as a sentence.';


-- Name: COLUMN tasks.finished_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.finished_at IS 'When it ended.';


-- Name: COLUMN tasks.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT INSERT(host_id) ON TABLE ccp.tasks TO ccp_automation;


-- Name: COLUMN tasks.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.host_id IS 'The host it works on.';


-- Name: COLUMN tasks.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.id IS 'Identity.';


-- Name: COLUMN tasks.idempotency_key; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT INSERT(idempotency_key) ON TABLE ccp.tasks TO ccp_automation;


-- Name: COLUMN tasks.idempotency_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.idempotency_key IS 'Your name for this request; the same again returns the same row.';


-- Name: COLUMN tasks.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT INSERT(kind) ON TABLE ccp.tasks TO ccp_automation;


-- Name: COLUMN tasks.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.kind IS 'What to do: see ccp.rules.';


-- Name: COLUMN tasks.message; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.message IS 'The step as a sentence.';


-- Name: COLUMN tasks.params; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT INSERT(params) ON TABLE ccp.tasks TO ccp_automation;


-- Name: COLUMN tasks.params; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.params IS 'Parameters, a JSON object.';


-- Name: COLUMN tasks.progress; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.progress IS 'Percentage.';


-- Name: COLUMN tasks.result; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.result IS 'What it brought.';


-- Name: COLUMN tasks.stage; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.stage IS 'The step it is in.';


-- Name: COLUMN tasks.started_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.started_at IS 'When it was last claimed.';


-- Name: COLUMN tasks.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.tasks.status IS 'queued, running, succeeded, failed or canceled.';


-- Name: COLUMN ticks.gap_limit; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(gap_limit) ON TABLE ccp.ticks TO ccp_dba;


-- Name: COLUMN ticks.gap_limit; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ticks.gap_limit IS 'A longer gap since anybody''s last tick means that the database was away.';


-- Name: COLUMN ticks.grace_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(grace_at) ON TABLE ccp.ticks TO ccp_dba;


-- Name: COLUMN ticks.grace_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ticks.grace_at IS 'Beats count from here at the earliest: set after an outage, so that it kills nobody.';


-- Name: COLUMN ticks.seen_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(seen_at) ON TABLE ccp.ticks TO ccp_dba;


-- Name: COLUMN ticks.seen_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ticks.seen_at IS 'When it last tried, even if another held the tick.';


-- Name: COLUMN ticks.ticked_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(ticked_at) ON TABLE ccp.ticks TO ccp_dba;


-- Name: COLUMN ticks.ticked_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ticks.ticked_at IS 'When it last ticked.';


-- Name: COLUMN ticks.who; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(who) ON TABLE ccp.ticks TO ccp_dba;


-- Name: COLUMN ticks.who; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.ticks.who IS 'worker (each second) or cron (each minute).';


-- Name: COLUMN users.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(created_at) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.created_at IS 'When the row was made.';


-- Name: COLUMN users.disabled_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(disabled_at) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(disabled_at) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.disabled_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.disabled_at IS 'When an admin disabled the user; null: enabled.';


-- Name: COLUMN users.expires_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expires_at) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(expires_at) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.expires_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.expires_at IS 'From then on nothing of this user runs or comes in; null: never.';


-- Name: COLUMN users.expiry_announced_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expiry_announced_at) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.expiry_announced_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.expiry_announced_at IS 'When user.expired was written for this expires_at.';


-- Name: COLUMN users.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(id) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.id IS 'Identity.';


-- Name: COLUMN users.password_changed_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(password_changed_at) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(password_changed_at) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.password_changed_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.password_changed_at IS 'When the password last changed.';


-- Name: COLUMN users.password_hash; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.password_hash IS 'bcrypt ($2b$) of the login password; null: cannot log in.';


-- Name: COLUMN users.role; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(role) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(role) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.role; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.role IS 'user (own things) or admin (everything).';


-- Name: COLUMN users.short_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(short_id) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(short_id) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.short_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.short_id IS 'Short public id, used in links; never reused.';


-- Name: COLUMN users.updated_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(updated_at) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(updated_at) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.updated_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.updated_at IS 'When it was last edited.';


-- Name: COLUMN users.username; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(username) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(username) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.username; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.username IS 'Name to log in with, lower case.';


-- Name: COLUMN users.version; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(version) ON TABLE ccp.users TO ccp_as_user;
GRANT SELECT(version) ON TABLE ccp.users TO ccp_dba;


-- Name: COLUMN users.version; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.users.version IS 'Rises with each edit; the ETag.';


-- Name: COLUMN verifications.at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(at) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.at IS 'When, by the agent''s clock.';


-- Name: COLUMN verifications.checks; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(checks) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.checks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.checks IS 'List of {name, outcome, ms, detail}.';


-- Name: COLUMN verifications.duration_ms; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(duration_ms) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.duration_ms; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.duration_ms IS 'How long it took, in milliseconds.';


-- Name: COLUMN verifications.error_code; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(error_code) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.error_code; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.error_code IS 'What did not hold.';


-- Name: COLUMN verifications.exit_label; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(exit_label) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.exit_label; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.exit_label IS 'The exit at that time.';


-- Name: COLUMN verifications.expected_ip; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(expected_ip) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.expected_ip; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.expected_ip IS 'The address the world should have seen.';


-- Name: COLUMN verifications.host_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(host_id) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.host_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.host_id IS 'The host.';


-- Name: COLUMN verifications.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.id IS 'Identity.';


-- Name: COLUMN verifications.kind; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(kind) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.kind; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.kind IS 'start, light, full or task.';


-- Name: COLUMN verifications.observed_ip; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(observed_ip) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.observed_ip; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.observed_ip IS 'The address it saw.';


-- Name: COLUMN verifications.outcome; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(outcome) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.outcome; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.outcome IS 'passed, failed or inconclusive.';


-- Name: COLUMN verifications.process_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(process_id) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.process_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.process_id IS 'The agent that did it.';


-- Name: COLUMN verifications.task_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(task_id) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.task_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.task_id IS 'The task it was part of.';


-- Name: COLUMN verifications.user_id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(user_id) ON TABLE ccp.verifications TO ccp_dba;


-- Name: COLUMN verifications.user_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.verifications.user_id IS 'That host''s user.';


-- Name: COLUMN webhooks.created_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(created_at) ON TABLE ccp.webhooks TO ccp_dba;


--
-- PostgreSQL database dump complete
--



-- Name: COLUMN webhooks.created_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.webhooks.created_at IS 'When it was made.';


-- Name: COLUMN webhooks.disabled_at; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(disabled_at) ON TABLE ccp.webhooks TO ccp_dba;


-- Name: COLUMN webhooks.disabled_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.webhooks.disabled_at IS 'When it was switched off; null: on.';


-- Name: COLUMN webhooks.event_types; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(event_types) ON TABLE ccp.webhooks TO ccp_dba;


-- Name: COLUMN webhooks.event_types; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.webhooks.event_types IS 'Which types; empty: all.';


-- Name: COLUMN webhooks.id; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(id) ON TABLE ccp.webhooks TO ccp_dba;


-- Name: COLUMN webhooks.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.webhooks.id IS 'Identity.';


-- Name: COLUMN webhooks.secret_sealed; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.webhooks.secret_sealed IS 'Signing secret, sealed (base64).';


-- Name: COLUMN webhooks.url; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT(url) ON TABLE ccp.webhooks TO ccp_dba;


-- Name: COLUMN webhooks.url; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.webhooks.url IS 'Where to.';


-- Name: COLUMN workers.beat_at; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.beat_at IS 'When it was last heard of.';


-- Name: COLUMN workers.id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.id IS 'Identity.';


-- Name: COLUMN workers.node; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.node IS 'The machine.';


-- Name: COLUMN workers.pid; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.pid IS 'Its process id.';


-- Name: COLUMN workers.program; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.program IS 'Which program.';


-- Name: COLUMN workers.queue; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.queue IS 'The queue it serves.';


-- Name: COLUMN workers.queued_tasks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.queued_tasks IS 'Tasks that wait in its queue.';


-- Name: COLUMN workers.running_tasks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.running_tasks IS 'Tasks it runs.';


-- Name: COLUMN workers.sessions; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.sessions IS 'Sessions it holds.';


-- Name: COLUMN workers.status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.status IS 'What it is now.';


-- Name: COLUMN workers.version; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.version IS 'Its version.';


-- Name: COLUMN workers.why; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON COLUMN ccp.workers.why IS 'The answer, as a sentence.';


-- Name: CONSTRAINT endpoint_is_an_address_and_port ON DOMAIN endpoint; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON CONSTRAINT endpoint_is_an_address_and_port ON DOMAIN ccp.endpoint IS 'must be an address and a port, such as 198.51.100.1:51820 or [2001:db8::1]:51820; names are not resolved, write the address that the name has';


-- Name: DOMAIN activation; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.activation IS 'What an administrator sets: active or disabled.';


-- Name: DOMAIN address; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.address IS 'One address, no network.';


-- Name: DOMAIN cpu_limit; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.cpu_limit IS 'CPU limit of a host in cores.';


-- Name: DOMAIN desired_state; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.desired_state IS 'What is wanted of a host.';


-- Name: DOMAIN disk_limit_gb; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.disk_limit_gb IS 'Size of a home in GiB.';


-- Name: DOMAIN endpoint; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.endpoint IS 'Address and port of an exit. Names are not resolved: who answers the question could choose the exit.';


-- Name: DOMAIN event_level; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.event_level IS 'How serious an event is.';


-- Name: DOMAIN event_type; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.event_type IS 'Dotted name of an event, like host.started.';


-- Name: DOMAIN home_mode; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.home_mode IS 'What becomes of the home when a host is rebuilt.';


-- Name: DOMAIN host_state; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.host_state IS 'What is said of a host: a word of ccp.host_statuses.';


-- Name: DOMAIN image; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.image IS 'Image by name.';


-- Name: DOMAIN label; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.label IS 'What people call a thing.';


-- Name: DOMAIN memory_limit_mb; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.memory_limit_mb IS 'Memory limit of a host in MiB.';


-- Name: DOMAIN mtu; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.mtu IS 'MTU of a tunnel in bytes.';


-- Name: DOMAIN networks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.networks IS 'A list of networks.';


-- Name: DOMAIN percentage; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.percentage IS 'How far something is.';


-- Name: DOMAIN pids_limit; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.pids_limit IS 'Limit on the processes and threads of a host.';


-- Name: DOMAIN report; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.report IS 'What the last final report on a task was answered.';


-- Name: DOMAIN request_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.request_key IS 'The name that a requester gives a request.';


-- Name: DOMAIN role; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.role IS 'user (own things) or admin (everything).';


-- Name: DOMAIN sentence; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.sentence IS 'Something for people to read, at most 2000 characters.';


-- Name: DOMAIN sha256; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.sha256 IS 'A SHA-256 digest, lower hex.';


-- Name: DOMAIN short_id; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.short_id IS 'Short public id, used in links and as ssh user name; never reused.';


-- Name: DOMAIN small_object; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.small_object IS 'A JSON object of at most 8 KB.';


-- Name: DOMAIN ssh_public_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.ssh_public_key IS 'One line of an OpenSSH public key without its comment.';


-- Name: DOMAIN stop_reason; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.stop_reason IS 'Why a running task was asked to stop.';


-- Name: DOMAIN task_state; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.task_state IS 'What is said of a task.';


-- Name: DOMAIN timezone; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.timezone IS 'Name of a time zone.';


-- Name: DOMAIN tunnel_type; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.tunnel_type IS 'How traffic gets to an exit.';


-- Name: DOMAIN user_state; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.user_state IS 'What a user is at a moment: active, disabled or expired.';


-- Name: DOMAIN username; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.username IS 'Name to log in with, lower case.';


-- Name: DOMAIN verdict; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.verdict IS 'What a function answers whose refusals are returned, because they must leave a trace.';


-- Name: DOMAIN wg_key; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.wg_key IS 'A WireGuard key (base64).';


SET default_tablespace = '';

SET default_table_access_method = heap;

-- Name: DOMAIN word; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON DOMAIN ccp.word IS 'A code or a stage: lower case letters and underscores.';


-- Name: POLICY dba_reads_all ON access_grants; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.access_grants IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON bindings; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.bindings IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON events; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.events IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON hosts; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.hosts IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON idempotency_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.idempotency_keys IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON logins; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.logins IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON sessions; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.sessions IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON ssh_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.ssh_keys IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON task_rows; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.task_rows IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON users; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.users IS 'The DBA reads every row.';


-- Name: POLICY dba_reads_all ON verifications; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY dba_reads_all ON ccp.verifications IS 'The DBA reads every row.';


-- Name: POLICY own_rows_only ON access_grants; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.access_grants IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON bindings; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.bindings IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON events; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.events IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON hosts; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.hosts IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON idempotency_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.idempotency_keys IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON logins; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.logins IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON sessions; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.sessions IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON ssh_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.ssh_keys IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON task_rows; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.task_rows IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON users; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.users IS 'A user route sees the rows of the user who entered.';


-- Name: POLICY own_rows_only ON verifications; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON POLICY own_rows_only ON ccp.verifications IS 'A user route sees the rows of the user who entered.';


-- Name: SCHEMA ccp; Type: ACL; Schema: -; Owner: ccp_owner
--

GRANT USAGE ON SCHEMA ccp TO ccp_api;
GRANT USAGE ON SCHEMA ccp TO ccp_worker;
GRANT USAGE ON SCHEMA ccp TO ccp_agent;
GRANT USAGE ON SCHEMA ccp TO ccp_sshproxy;
GRANT USAGE ON SCHEMA ccp TO ccp_as_user;
GRANT USAGE ON SCHEMA ccp TO ccp_dba;
GRANT USAGE ON SCHEMA ccp TO ccp_automation;
GRANT USAGE ON SCHEMA ccp TO ccp_admin;


-- Name: SCHEMA ccp; Type: COMMENT; Schema: -; Owner: ccp_owner
--

COMMENT ON SCHEMA ccp IS 'Tables and views people look at. Every other schema is a noun and holds functions that are verbs.';


-- Name: SEQUENCE event_ids; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON SEQUENCE ccp.event_ids IS 'Ids of events.';


-- Name: SEQUENCE lease_ids; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON SEQUENCE ccp.lease_ids IS 'Leases: a fresh number for each claim, so that a late report of an earlier claim changes nothing.';


-- Name: SEQUENCE nodes_id_seq; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON SEQUENCE ccp.nodes_id_seq IS 'Ids of nodes.';


-- Name: SEQUENCE processes_id_seq; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON SEQUENCE ccp.processes_id_seq IS 'Ids of processes.';


-- Name: SEQUENCE verification_ids; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON SEQUENCE ccp.verification_ids IS 'Ids of verifications.';


-- Name: TABLE access_grants; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.access_grants IS 'Short-lived rights of a bootstrap or entry hand-off: a poll token and a one-time ssh key.';


-- Name: TABLE applied_files; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.applied_files IS 'Files that db/apply has run here: migrations, types and views.';


-- Name: TABLE bindings; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.bindings TO ccp_as_user;


-- Name: TABLE bindings; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.bindings IS 'Which host leaves through which exit. An ended row is history.';


-- Name: TABLE doctor; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.doctor TO ccp_automation;
GRANT SELECT ON TABLE ccp.doctor TO ccp_dba;


-- Name: TABLE egress_ips; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.egress_ips IS 'Exits. A WireGuard row is one peer identity (their key, our inside address) and carries at most one host at a time; an exit address that several hosts share has several rows.';


-- Name: TABLE events; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.events TO ccp_as_user;


-- Name: TABLE events; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.events IS 'The audit log. Append-only even for the owner; leaves a whole month at a time (event.drop_month). Ids are copied and have no foreign keys: they survive what they name.';


-- Name: TABLE exit_peers; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.exit_peers TO ccp_dba;


-- Name: TABLE host_edges; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.host_edges IS 'The steps a host may take; a trigger refuses every other.';


-- Name: TABLE host_remedies; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.host_remedies IS 'Reconciliation: the task that brings a host without a live task from a status to what is wanted.';


-- Name: TABLE host_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.host_status TO ccp_automation;
GRANT SELECT ON TABLE ccp.host_status TO ccp_dba;


-- Name: TABLE host_statuses; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.host_statuses TO ccp_as_user;


-- Name: TABLE host_statuses; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.host_statuses IS 'What can be said of a host.';


-- Name: TABLE host_wants; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.host_wants TO ccp_dba;


-- Name: TABLE hosts; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.hosts IS 'Containers. status is what is, desired what its owner wants; tasks and reconciliation close the difference.';


-- Name: TABLE idempotency_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.idempotency_keys IS 'HTTP requests that carried an Idempotency-Key: what they made, never a secret. Kept for a day.';


-- Name: TABLE logins; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.logins IS 'One row per token family: made by a login, revocable as a whole.';


-- Name: TABLE nodes; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.nodes IS 'Machines. A row appears when a program first registers there and stays.';


-- Name: TABLE now; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.now TO ccp_automation;
GRANT SELECT ON TABLE ccp.now TO ccp_dba;


-- Name: TABLE observations; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.observations IS 'What the agent last saw of each host.';


-- Name: TABLE penalties; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.penalties IS 'Who has earned a wait, after OpenSSH''s PerSourcePenalties: each offence adds seconds; over a threshold the source is refused until they have passed.';


-- Name: TABLE penalty_rules; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.penalty_rules IS 'How many seconds each offence costs.';


-- Name: TABLE processes; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.processes IS 'One row per started program, with its beat. A restart is a new row.';


-- Name: TABLE rules; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.rules TO ccp_automation;
GRANT SELECT ON TABLE ccp.rules TO ccp_dba;


-- Name: TABLE sessions; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.sessions TO ccp_as_user;


-- Name: TABLE sessions; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.sessions IS 'Who is, and was, in which host.';


-- Name: TABLE settings; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.settings TO ccp_as_user;


-- Name: TABLE settings; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.settings IS 'Settings, read live by every program; a change works at the next use. A value that does not fit them is refused.';


-- Name: TABLE signing_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.signing_keys IS 'HS256 keys of login tokens, by kid. The newest that is not retired signs; a retired one verifies until it expires.';


-- Name: TABLE ssh_keys; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT,INSERT,DELETE ON TABLE ccp.ssh_keys TO ccp_as_user;


-- Name: TABLE ssh_keys; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.ssh_keys IS 'Public keys with which a user comes into all own hosts.';


-- Name: TABLE stuck; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.stuck TO ccp_automation;
GRANT SELECT ON TABLE ccp.stuck TO ccp_dba;


-- Name: TABLE task_edges; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.task_edges IS 'The steps a task may take; a trigger refuses every other.';


-- Name: TABLE task_kinds; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.task_kinds TO ccp_as_user;


-- Name: TABLE task_kinds; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.task_kinds IS 'The machine: what each kind of task needs, does and leaves behind. Functions read it; edge tables only guard.';


-- Name: TABLE task_params; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.task_params IS 'The parameters a kind takes; others are refused.';


-- Name: TABLE task_rows; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.task_rows TO ccp_as_user;


-- Name: TABLE task_rows; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.task_rows IS 'Tasks. Made by task.enqueue() only (people: insert into ccp.tasks); moved by claim and the reports, each guarded by its lease. It has no foreign key to processes: two claims of one process would fight over its row.';


-- Name: TABLE task_status; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.task_status TO ccp_automation;
GRANT SELECT ON TABLE ccp.task_status TO ccp_dba;


-- Name: TABLE tasks; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.tasks TO ccp_automation;
GRANT SELECT ON TABLE ccp.tasks TO ccp_dba;


-- Name: TABLE ticks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.ticks IS 'Who makes time pass, and when it last did.';


-- Name: TABLE users; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.users IS 'People. Whether one has expired is computed from expires_at at each use and never stored.';


-- Name: TABLE verifications; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.verifications TO ccp_as_user;


-- Name: TABLE verifications; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.verifications IS 'Evidence: every full verification that passed and everything that did not pass. Append-only; ids are copied.';


-- Name: TABLE webhooks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON TABLE ccp.webhooks IS 'Where to send events.';


-- Name: TABLE workers; Type: ACL; Schema: ccp; Owner: ccp_owner
--

GRANT SELECT ON TABLE ccp.workers TO ccp_automation;
GRANT SELECT ON TABLE ccp.workers TO ccp_dba;


-- Name: VIEW doctor; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.doctor IS 'Is the installation healthy? Every row should say ok.';


-- Name: VIEW exit_peers; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.exit_peers IS 'Which key must be known at which exit under which inside address: what to register at a provider. ccp_event rings when it changes.';


-- Name: VIEW host_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.host_status IS 'What each host is, what is wanted of it, and why it is so.';


-- Name: VIEW host_wants; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.host_wants IS 'What is wanted of each host now, its user''s state considered.';


-- Name: VIEW now; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.now IS 'Everything that is going on, a sentence a row.';


-- Name: VIEW rules; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.rules IS 'The kinds of tasks: what each does, from where, and what it leaves behind.';


-- Name: VIEW stuck; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.stuck IS 'What should have moved on and has not. Empty is good.';


-- Name: VIEW task_status; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.task_status IS 'What became of each task, and why.';


-- Name: VIEW tasks; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.tasks IS 'Automation''s whole interface: insert into ccp.tasks (kind, host_id) values (...) returning id, status. Insertable: kind, host_id, params, idempotency_key.';


-- Name: VIEW workers; Type: COMMENT; Schema: ccp; Owner: ccp_owner
--

COMMENT ON VIEW ccp.workers IS 'The programs that run, and those that ended and have no successor.';


-- Name: access_grants access_grants_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.access_grants
    ADD CONSTRAINT access_grants_pkey PRIMARY KEY (id);


-- Name: access_grants dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.access_grants FOR SELECT TO ccp_dba USING (true);


-- Name: access_grants grant_follows_a_task; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.access_grants
    ADD CONSTRAINT grant_follows_a_task FOREIGN KEY (task_id) REFERENCES ccp.task_rows(id) ON DELETE SET NULL;


-- Name: access_grants grant_is_for_a_host; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.access_grants
    ADD CONSTRAINT grant_is_for_a_host FOREIGN KEY (host_id) REFERENCES ccp.hosts(id) ON DELETE CASCADE;


-- Name: access_grants grant_is_for_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.access_grants
    ADD CONSTRAINT grant_is_for_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id) ON DELETE CASCADE;


-- Name: access_grants own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.access_grants TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: access_grants poll_token_is_unique; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.access_grants
    ADD CONSTRAINT poll_token_is_unique UNIQUE (poll_token_sha256);


-- Name: access_grants; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.access_grants ENABLE ROW LEVEL SECURITY;

-- Name: access_grants; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.access_grants (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    purpose text NOT NULL,
    user_id uuid NOT NULL,
    host_id uuid NOT NULL,
    task_id uuid,
    key_sha256 ccp.sha256,
    poll_token_sha256 ccp.sha256 NOT NULL,
    address inet,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    CONSTRAINT grant_ends CHECK ((expires_at > created_at)),
    CONSTRAINT grant_purpose_is_known CHECK ((purpose = ANY (ARRAY['bootstrap'::text, 'entry'::text])))
);


ALTER TABLE ccp.access_grants OWNER TO ccp_owner;

-- Name: activation; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.activation AS text
	CONSTRAINT activation_is_known CHECK ((VALUE = ANY (ARRAY['active'::text, 'disabled'::text])));


ALTER DOMAIN ccp.activation OWNER TO ccp_owner;

-- Name: address; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.address AS inet
	CONSTRAINT address_is_one_address CHECK (((host(VALUE))::inet = VALUE));


ALTER DOMAIN ccp.address OWNER TO ccp_owner;

-- Name: applied_files applied_files_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.applied_files
    ADD CONSTRAINT applied_files_pkey PRIMARY KEY (name);


-- Name: applied_files; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.applied_files (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE ccp.applied_files OWNER TO ccp_owner;

-- Name: bindings binding_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.bindings
    ADD CONSTRAINT binding_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id);


-- Name: bindings binding_is_of_a_host; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.bindings
    ADD CONSTRAINT binding_is_of_a_host FOREIGN KEY (host_id) REFERENCES ccp.hosts(id) ON DELETE CASCADE;


-- Name: bindings binding_leads_to_an_exit; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.bindings
    ADD CONSTRAINT binding_leads_to_an_exit FOREIGN KEY (egress_ip_id) REFERENCES ccp.egress_ips(id);


-- Name: bindings bindings_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.bindings
    ADD CONSTRAINT bindings_pkey PRIMARY KEY (id);


-- Name: bindings dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.bindings FOR SELECT TO ccp_dba USING (true);


-- Name: bindings own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.bindings TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: bindings; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.bindings ENABLE ROW LEVEL SECURITY;

-- Name: bindings; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.bindings (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    host_id uuid NOT NULL,
    egress_ip_id uuid NOT NULL,
    user_id uuid NOT NULL,
    exit_label text NOT NULL,
    exit_address inet NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    ended_at timestamp with time zone
);


ALTER TABLE ccp.bindings OWNER TO ccp_owner;

-- Name: bindings_of_a_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX bindings_of_a_host ON ccp.bindings USING btree (host_id);


-- Name: bindings_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX bindings_of_a_user ON ccp.bindings USING btree (user_id);


-- Name: bindings_of_an_exit; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX bindings_of_an_exit ON ccp.bindings USING btree (egress_ip_id);


-- Name: ccp; Type: SCHEMA; Schema: -; Owner: ccp_owner
--

CREATE SCHEMA ccp;


ALTER SCHEMA ccp OWNER TO ccp_owner;

-- Name: cpu_limit; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.cpu_limit AS numeric(5,2)
	CONSTRAINT cpu_limit_is_sane CHECK (((VALUE >= 0.1) AND (VALUE <= (256)::numeric)));


ALTER DOMAIN ccp.cpu_limit OWNER TO ccp_owner;

-- Name: desired_state; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.desired_state AS text
	CONSTRAINT desired_state_is_known CHECK ((VALUE = ANY (ARRAY['running'::text, 'stopped'::text, 'absent'::text])));


ALTER DOMAIN ccp.desired_state OWNER TO ccp_owner;

-- Name: disk_limit_gb; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.disk_limit_gb AS integer
	CONSTRAINT disk_limit_is_sane CHECK (((VALUE >= 1) AND (VALUE <= 65536)));


ALTER DOMAIN ccp.disk_limit_gb OWNER TO ccp_owner;

-- Name: doctor; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.doctor WITH (security_barrier='true') AS
 SELECT c.name,
    c.ok,
    c.why
   FROM ( SELECT 'tick'::text AS name,
            COALESCE((max(t.ticked_at) > (clock.now() - '00:01:05'::interval)), false) AS ok,
            (COALESCE((('time last passed for the rules '::text || clock.span((clock.now() - max(t.ticked_at)))) || ' ago'::text), 'time has never passed for the rules'::text) || '; the worker ticks each second, pg_cron each minute'::text) AS why
           FROM ccp.ticks t
        UNION ALL
         SELECT 'cron'::text,
            COALESCE((max(t.seen_at) > (clock.now() - '00:02:30'::interval)), false) AS "coalesce",
            (COALESCE((('pg_cron came '::text || clock.span((clock.now() - max(t.seen_at)))) || ' ago'::text), 'pg_cron has never come'::text) || '; it keeps the rules when no worker runs: see cron.job in the database postgres'::text)
           FROM ccp.ticks t
          WHERE (t.who = 'cron'::text)
        UNION ALL
         SELECT replace(l.program, 'ccp-'::text, ''::text) AS replace,
            (count(w.id) > 0),
                CASE
                    WHEN (count(w.id) > 0) THEN format('%s runs on %s'::text, l.program, string_agg(w.node, ', '::text ORDER BY w.node))
                    ELSE format('no %s is heard of: %s'::text, l.program, l.without)
                END AS format
           FROM (( VALUES ('ccp-worker'::text,'nothing is retained, and the rules wait for pg_cron'::text), ('ccp-api'::text,'nobody can log in'::text), ('ccp-sshproxy'::text,'nobody can come in by ssh'::text)) l(program, without)
             LEFT JOIN ccp.workers w ON (((w.program = l.program) AND (w.status = 'alive'::text))))
          GROUP BY l.program, l.without
        UNION ALL
         SELECT 'agent'::text,
            (count(*) FILTER (WHERE (a.id IS NULL)) = 0),
            COALESCE((('no ccp-agent is heard of on '::text || string_agg(n.name, ', '::text ORDER BY n.name) FILTER (WHERE (a.id IS NULL))) || ': its hosts close when their proofs run out'::text), 'a ccp-agent runs on every node that has hosts'::text) AS "coalesce"
           FROM (ccp.nodes n
             LEFT JOIN ccp.workers a ON (((a.node = n.name) AND (a.program = 'ccp-agent'::text) AND (a.status = 'alive'::text))))
          WHERE (EXISTS ( SELECT
                   FROM ccp.hosts h
                  WHERE ((h.node_id = n.id) AND ((h.status)::text <> 'deleted'::text))))
        UNION ALL
         SELECT 'settings'::text,
            (count(*) = 0),
            COALESCE(('no host can be started before these are in ccp.settings: '::text || string_agg(m.missing, ', '::text ORDER BY m.missing)), 'everything that a start needs is in ccp.settings'::text) AS "coalesce"
           FROM ( SELECT (s.name ||
                        CASE s.name
                            WHEN 'echo_urls'::text THEN ' (at least 3)'::text
                            ELSE ''::text
                        END) AS missing
                   FROM ccp.settings s
                  WHERE ((s.name = ANY (ARRAY['echo_urls'::text, 'connect_targets'::text, 'dns_check_zone'::text])) AND ((s.value IS NULL) OR ((jsonb_typeof(s.value) = 'array'::text) AND (jsonb_array_length(s.value) <
                        CASE s.name
                            WHEN 'echo_urls'::text THEN 3
                            ELSE 1
                        END))))) m
        UNION ALL
         SELECT 'keys'::text,
            (count(*) = 0),
            COALESCE(string_agg(m.missing, '; '::text ORDER BY m.missing), 'every program has stored its key'::text) AS "coalesce"
           FROM ( SELECT
                        CASE s.name
                            WHEN 'sealing_key'::text THEN 'the agent has not stored the key to which exit secrets are sealed: start it'::text
                            ELSE 'the ssh proxy has not stored its host key: start it'::text
                        END AS missing
                   FROM ccp.settings s
                  WHERE ((s.name = ANY (ARRAY['sealing_key'::text, 'ssh_host_key'::text])) AND (s.value IS NULL))
                UNION ALL
                 SELECT 'no key signs tokens: the first login makes one'::text
                  WHERE (NOT (EXISTS ( SELECT
                           FROM ccp.signing_keys k
                          WHERE (k.retired_at IS NULL))))) m
        UNION ALL
         SELECT 'months'::text,
            (count(*) = 0),
            COALESCE(('events and verifications cannot be written without these, which the tick makes ahead: '::text || string_agg(m.name, ', '::text ORDER BY m.name)), 'the partitions of this month and the next are there'::text) AS "coalesce"
           FROM ( SELECT (t.name || to_char(((clock.now() AT TIME ZONE 'UTC'::text) + make_interval(months => a.ahead)), '_YYYY_MM'::text)) AS name
                   FROM (( VALUES ('events'::text), ('verifications'::text)) t(name)
                     CROSS JOIN generate_series(0, 1) a(ahead))) m
          WHERE (to_regclass(('ccp.'::text || m.name)) IS NULL)
        UNION ALL
         SELECT 'proofs'::text,
            (count(*) = 0),
            COALESCE((('no proof was written in time for '::text || string_agg((s.host)::text, ', '::text ORDER BY (s.host)::text)) || ': see the agent''s log'::text), 'every running host was proven in the time of two full verifications'::text) AS "coalesce"
           FROM ((ccp.host_status s
             JOIN ccp.hosts h ON ((h.id = s.id)))
             CROSS JOIN ( SELECT make_interval(secs => ((2)::double precision * COALESCE(((v.value #>> '{}'::text[]))::double precision, (600)::double precision))) AS allowed
                   FROM ccp.settings v
                  WHERE (v.name = 'verify_full_s'::text)) f)
          WHERE (((h.status)::text = 'running'::text) AND (GREATEST(s.verified_at, h.status_changed_at) < (clock.now() - f.allowed)))
        UNION ALL
         SELECT 'stuck'::text,
            (count(*) = 0),
            COALESCE(('ccp.stuck tells why these do not move: '::text || "left"(string_agg(((s.what || ' '::text) || s.name), ', '::text ORDER BY s.since), 300)), 'nothing waits that should move'::text) AS "coalesce"
           FROM ccp.stuck s) c;


ALTER TABLE ccp.doctor OWNER TO ccp_owner;

-- Name: egress_ips egress_ips_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.egress_ips
    ADD CONSTRAINT egress_ips_pkey PRIMARY KEY (id);


-- Name: egress_ips egress_ips_touch; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER egress_ips_touch BEFORE UPDATE ON ccp.egress_ips FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION clock.touch();


-- Name: egress_ips exit_label_is_unique; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.egress_ips
    ADD CONSTRAINT exit_label_is_unique UNIQUE (label);


-- Name: egress_ips; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.egress_ips (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    label ccp.label NOT NULL,
    ip_address ccp.address NOT NULL,
    provider ccp.label,
    status ccp.activation DEFAULT 'active'::text NOT NULL,
    tunnel_type ccp.tunnel_type DEFAULT 'wireguard'::text NOT NULL,
    wg_endpoint ccp.endpoint NOT NULL,
    wg_public_key ccp.wg_key NOT NULL,
    wg_preshared_key_sealed text,
    wg_allowed_ips ccp.networks DEFAULT '{0.0.0.0/0}'::cidr[] NOT NULL,
    wg_dns_server ccp.address NOT NULL,
    wg_peer_address inet NOT NULL,
    wg_mtu ccp.mtu DEFAULT 1420 NOT NULL,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT wg_preshared_key_is_sealed CHECK (((wg_preshared_key_sealed ~ '^[A-Za-z0-9+/]+={0,2}$'::text) AND ((length(wg_preshared_key_sealed) >= 60) AND (length(wg_preshared_key_sealed) <= 400))))
);


ALTER TABLE ccp.egress_ips OWNER TO ccp_owner;

-- Name: egress_ips_by_creation; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX egress_ips_by_creation ON ccp.egress_ips USING btree (created_at);


-- Name: endpoint; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.endpoint AS text
	CONSTRAINT endpoint_is_an_address_and_port CHECK ((((VALUE ~ '^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d):\d{1,5}$'::text) OR (VALUE ~ '^\[[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}\]:\d{1,5}$'::text)) AND ((("substring"(VALUE, '\d{1,5}$'::text))::integer >= 1) AND (("substring"(VALUE, '\d{1,5}$'::text))::integer <= 65535))));


ALTER DOMAIN ccp.endpoint OWNER TO ccp_owner;

-- Name: event_ids; Type: SEQUENCE; Schema: ccp; Owner: ccp_owner
--

CREATE SEQUENCE ccp.event_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE ccp.event_ids OWNER TO ccp_owner;

-- Name: event_level; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.event_level AS text
	CONSTRAINT event_level_is_known CHECK ((VALUE = ANY (ARRAY['debug'::text, 'info'::text, 'warning'::text, 'error'::text])));


ALTER DOMAIN ccp.event_level OWNER TO ccp_owner;

-- Name: event_type; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.event_type AS text
	CONSTRAINT event_type_is_dotted CHECK ((VALUE ~ '^[a-z_]+(\.[a-z_]+){1,4}$'::text));


ALTER DOMAIN ccp.event_type OWNER TO ccp_owner;

-- Name: events dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.events FOR SELECT TO ccp_dba USING (true);


-- Name: events events_are_append_only; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER events_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ccp.events FOR EACH STATEMENT EXECUTE FUNCTION event.refuse_change();


-- Name: events events_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (id, at);


-- Name: events own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.events TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: events; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.events ENABLE ROW LEVEL SECURITY;

-- Name: events; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.events (
    id bigint DEFAULT nextval('ccp.event_ids'::regclass) NOT NULL,
    at timestamp with time zone DEFAULT clock.now() NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    level ccp.event_level NOT NULL,
    type ccp.event_type NOT NULL,
    message text NOT NULL,
    actor text NOT NULL,
    actor_role text NOT NULL,
    actor_address inet,
    user_id uuid,
    host_id uuid,
    task_id uuid,
    metadata jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT event_message_is_short CHECK ((length(message) <= 2000)),
    CONSTRAINT metadata_is_an_object CHECK (((jsonb_typeof(metadata) = 'object'::text) AND (pg_column_size(metadata) <= 65536)))
)
PARTITION BY RANGE (at);


ALTER TABLE ccp.events OWNER TO ccp_owner;

-- Name: events_by_xid; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX events_by_xid ON ONLY ccp.events USING btree (xid);


-- Name: events_of_a_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX events_of_a_host ON ONLY ccp.events USING btree (host_id, at) WHERE (host_id IS NOT NULL);


-- Name: events_of_a_task; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX events_of_a_task ON ONLY ccp.events USING btree (task_id) WHERE (task_id IS NOT NULL);


-- Name: events_of_a_type; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX events_of_a_type ON ONLY ccp.events USING btree (type, at);


-- Name: events_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX events_of_a_user ON ONLY ccp.events USING btree (user_id, at) WHERE (user_id IS NOT NULL);


-- Name: exit_peers; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.exit_peers WITH (security_barrier='true') AS
 SELECT b.egress_ip_id,
    e.wg_public_key AS exit_public_key,
    h.wg_public_key AS host_public_key,
    (host(e.wg_peer_address))::cidr AS peer_address,
    h.id AS host_id,
    format('%s of host %s must be a peer of exit %s'::text, host(e.wg_peer_address), h.short_id, e.label) AS why
   FROM ((ccp.bindings b
     JOIN ccp.egress_ips e ON ((e.id = b.egress_ip_id)))
     JOIN ccp.hosts h ON ((h.id = b.host_id)))
  WHERE ((b.ended_at IS NULL) AND (h.wg_public_key IS NOT NULL) AND ((h.status)::text <> 'deleted'::text));


ALTER TABLE ccp.exit_peers OWNER TO ccp_owner;

-- Name: grants_of_a_host_by_key; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX grants_of_a_host_by_key ON ccp.access_grants USING btree (host_id, key_sha256);


-- Name: grants_of_a_task; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX grants_of_a_task ON ccp.access_grants USING btree (task_id);


-- Name: grants_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX grants_of_a_user ON ccp.access_grants USING btree (user_id);


-- Name: home_mode; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.home_mode AS text
	CONSTRAINT home_mode_is_known CHECK ((VALUE = ANY (ARRAY['keep'::text, 'wipe'::text])));


ALTER DOMAIN ccp.home_mode OWNER TO ccp_owner;

-- Name: host_edges edge_leads_to_a_known_status; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_edges
    ADD CONSTRAINT edge_leads_to_a_known_status FOREIGN KEY (to_status) REFERENCES ccp.host_statuses(status) DEFERRABLE;


-- Name: host_edges edge_leaves_a_known_status; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_edges
    ADD CONSTRAINT edge_leaves_a_known_status FOREIGN KEY (from_status) REFERENCES ccp.host_statuses(status) DEFERRABLE;


-- Name: host_edges host_edges_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_edges
    ADD CONSTRAINT host_edges_pkey PRIMARY KEY (from_status, to_status);


-- Name: host_edges; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.host_edges (
    from_status text NOT NULL,
    to_status text NOT NULL
);


ALTER TABLE ccp.host_edges OWNER TO ccp_owner;

-- Name: host_edges_by_target; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX host_edges_by_target ON ccp.host_edges USING btree (to_status);


-- Name: host_remedies host_remedies_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_remedies
    ADD CONSTRAINT host_remedies_pkey PRIMARY KEY (wanted, status);


-- Name: host_remedies remedy_is_a_task; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_remedies
    ADD CONSTRAINT remedy_is_a_task FOREIGN KEY (kind) REFERENCES ccp.task_kinds(kind) DEFERRABLE;


-- Name: host_remedies remedy_is_for_a_known_status; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_remedies
    ADD CONSTRAINT remedy_is_for_a_known_status FOREIGN KEY (status) REFERENCES ccp.host_statuses(status) DEFERRABLE;


-- Name: host_remedies; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.host_remedies (
    wanted ccp.desired_state NOT NULL,
    status text NOT NULL,
    kind text NOT NULL
);


ALTER TABLE ccp.host_remedies OWNER TO ccp_owner;

-- Name: host_remedies_by_kind; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX host_remedies_by_kind ON ccp.host_remedies USING btree (kind);


-- Name: host_remedies_by_status; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX host_remedies_by_status ON ccp.host_remedies USING btree (status);


-- Name: host_state; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.host_state AS text;


ALTER DOMAIN ccp.host_state OWNER TO ccp_owner;

-- Name: host_status; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.host_status WITH (security_barrier='true') AS
 SELECT h.id,
    h.short_id AS host,
    u.username,
    n.name AS node,
    h.status,
    h.desired,
    w.wanted,
    b.exit_label AS exit,
    e.ip_address AS exit_address,
    v.at AS verified_at,
    o.state AS observed,
    concat_ws('; '::text, format('host %s of %s %s'::text, h.short_id, u.username, s.description), t.what,
        CASE
            WHEN ((h.status)::text = 'deleted'::text) THEN NULL::text
            WHEN (w.user_state <> 'active'::text) THEN format('its user is %s'::text, w.user_state)
            WHEN (((h.status)::text = ANY (ARRAY['unavailable'::text, 'failed'::text])) AND (h.error_message IS NOT NULL)) THEN format('%s: %s'::text, h.error_code, h.error_message)
            ELSE NULL::text
        END,
        CASE
            WHEN ((b.id IS NULL) AND ((h.status)::text <> 'deleted'::text)) THEN 'it has no exit'::text
            ELSE NULL::text
        END,
        CASE
            WHEN ((t.what IS NOT NULL) OR (((h.status)::text = w.wanted) OR ((h.status)::text = 'deleted'::text))) THEN NULL::text
            WHEN (h.retry_at > clock.now()) THEN format('tried again in %s'::text, clock.span((h.retry_at - clock.now())))
            WHEN ((w.wanted = 'running'::text) AND (b.id IS NULL)) THEN 'it is wanted running and cannot be without one'::text
            ELSE format('it is wanted %s, and the next tick sees to that'::text, w.wanted)
        END) AS why
   FROM (((((((((ccp.hosts h
     JOIN ccp.users u ON ((u.id = h.user_id)))
     JOIN ccp.nodes n ON ((n.id = h.node_id)))
     JOIN ccp.host_wants w ON ((w.host_id = h.id)))
     JOIN ccp.host_statuses s ON (((s.status)::text = (h.status)::text)))
     LEFT JOIN ccp.bindings b ON (((b.host_id = h.id) AND (b.ended_at IS NULL))))
     LEFT JOIN ccp.egress_ips e ON ((e.id = b.egress_ip_id)))
     LEFT JOIN ccp.observations o ON ((o.host_id = h.id)))
     LEFT JOIN LATERAL ( SELECT string_agg((l.kind ||
                CASE
                    WHEN ((l.status)::text = 'queued'::text) THEN ' waits'::text
                    ELSE ((' runs'::text || COALESCE(((' ('::text || (l.message)::text) || ')'::text), ''::text)) ||
                    CASE
                        WHEN (l.stop_requested_at IS NOT NULL) THEN ' and is to stop'::text
                        ELSE ''::text
                    END)
                END), ', '::text ORDER BY l.status DESC) AS what
           FROM ccp.task_rows l
          WHERE ((l.host_id = h.id) AND ((l.status)::text = ANY (ARRAY['queued'::text, 'running'::text])))) t ON (true))
     LEFT JOIN LATERAL ( SELECT e_1.at
           FROM ccp.verifications e_1
          WHERE ((e_1.host_id = h.id) AND (e_1.outcome = 'passed'::text))
          ORDER BY e_1.at DESC
         LIMIT 1) v ON (true));


ALTER TABLE ccp.host_status OWNER TO ccp_owner;

-- Name: host_statuses host_statuses_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.host_statuses
    ADD CONSTRAINT host_statuses_pkey PRIMARY KEY (status);


-- Name: host_statuses; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.host_statuses (
    status ccp.host_state NOT NULL,
    description text NOT NULL
);


ALTER TABLE ccp.host_statuses OWNER TO ccp_owner;

-- Name: host_wants; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.host_wants WITH (security_barrier='true') AS
 SELECT h.id AS host_id,
    account.state(u.disabled_at, u.expires_at) AS user_state,
    host.wanted_of((h.desired)::text, account.state(u.disabled_at, u.expires_at)) AS wanted,
    format('%s desires it %s'::text, u.username, h.desired) AS why
   FROM (ccp.hosts h
     JOIN ccp.users u ON ((u.id = h.user_id)));


ALTER TABLE ccp.host_wants OWNER TO ccp_owner;

-- Name: hosts dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.hosts FOR SELECT TO ccp_dba USING (true);


-- Name: hosts host_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.hosts
    ADD CONSTRAINT host_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id);


-- Name: hosts host_lives_on_a_node; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.hosts
    ADD CONSTRAINT host_lives_on_a_node FOREIGN KEY (node_id) REFERENCES ccp.nodes(id);


-- Name: hosts host_short_id_is_unique; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.hosts
    ADD CONSTRAINT host_short_id_is_unique UNIQUE (short_id);


-- Name: hosts host_status_is_known; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.hosts
    ADD CONSTRAINT host_status_is_known FOREIGN KEY (status) REFERENCES ccp.host_statuses(status);


-- Name: hosts hosts_are_deleted_as_tombstones; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER hosts_are_deleted_as_tombstones BEFORE DELETE ON ccp.hosts FOR EACH ROW EXECUTE FUNCTION host.guard_delete();


-- Name: hosts hosts_are_not_truncated; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER hosts_are_not_truncated BEFORE TRUNCATE ON ccp.hosts FOR EACH STATEMENT EXECUTE FUNCTION task.refuse_truncate();


-- Name: hosts hosts_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.hosts
    ADD CONSTRAINT hosts_pkey PRIMARY KEY (id);


-- Name: hosts hosts_take_allowed_steps; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER hosts_take_allowed_steps BEFORE UPDATE OF status ON ccp.hosts FOR EACH ROW WHEN (((old.status)::text IS DISTINCT FROM (new.status)::text)) EXECUTE FUNCTION host.guard();


-- Name: hosts hosts_touch; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER hosts_touch BEFORE UPDATE OF image, timezone, memory_limit_mb, cpu_limit, pids_limit, disk_limit_gb, sudo ON ccp.hosts FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION clock.touch();


-- Name: hosts own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.hosts TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: hosts; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.hosts ENABLE ROW LEVEL SECURITY;

-- Name: hosts; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.hosts (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    short_id ccp.short_id NOT NULL,
    user_id uuid NOT NULL,
    node_id bigint NOT NULL,
    status ccp.host_state DEFAULT 'pending'::text NOT NULL,
    desired ccp.desired_state DEFAULT 'stopped'::text NOT NULL,
    image ccp.image NOT NULL,
    image_id text,
    timezone ccp.timezone DEFAULT 'UTC'::text NOT NULL,
    memory_limit_mb ccp.memory_limit_mb DEFAULT 4096 NOT NULL,
    cpu_limit ccp.cpu_limit DEFAULT 2 NOT NULL,
    pids_limit ccp.pids_limit DEFAULT 4096 NOT NULL,
    disk_limit_gb ccp.disk_limit_gb,
    sudo boolean DEFAULT true NOT NULL,
    ssh_password_hash text,
    ssh_password_changed_at timestamp with time zone,
    wg_public_key ccp.wg_key,
    ssh_host_key ccp.ssh_public_key,
    failures integer DEFAULT 0 NOT NULL,
    retry_at timestamp with time zone,
    error_code text,
    error_message ccp.sentence,
    status_changed_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    finished_at timestamp with time zone,
    deleted_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT failures_are_counted CHECK ((failures >= 0)),
    CONSTRAINT image_id_is_a_digest CHECK ((image_id ~ '^sha256:[0-9a-f]{64}$'::text)),
    CONSTRAINT ssh_password_is_yescrypt CHECK ((ssh_password_hash ~ '^\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9$]{20,200}$'::text)),
    CONSTRAINT tombstone_has_its_time CHECK ((((status)::text = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT tombstone_is_not_wanted CHECK ((((status)::text <> ALL (ARRAY['deleting'::text, 'deleted'::text])) OR ((desired)::text = 'absent'::text)))
)
WITH (fillfactor='70');


ALTER TABLE ccp.hosts OWNER TO ccp_owner;

-- Name: hosts_alive_by_status; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX hosts_alive_by_status ON ccp.hosts USING btree (status) WHERE ((status)::text <> 'deleted'::text);


-- Name: hosts_by_creation; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX hosts_by_creation ON ccp.hosts USING btree (created_at) WHERE (deleted_at IS NULL);


-- Name: hosts_of_a_node; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX hosts_of_a_node ON ccp.hosts USING btree (node_id);


-- Name: hosts_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX hosts_of_a_user ON ccp.hosts USING btree (user_id, created_at);


-- Name: idempotency_keys dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.idempotency_keys FOR SELECT TO ccp_dba USING (true);


-- Name: idempotency_keys idempotency_keys_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, key);


-- Name: idempotency_keys key_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.idempotency_keys
    ADD CONSTRAINT key_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id) ON DELETE CASCADE;


-- Name: idempotency_keys own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.idempotency_keys TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: idempotency_keys; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.idempotency_keys ENABLE ROW LEVEL SECURITY;

-- Name: idempotency_keys; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.idempotency_keys (
    user_id uuid NOT NULL,
    key ccp.request_key NOT NULL,
    route text NOT NULL,
    request_sha256 ccp.sha256 NOT NULL,
    status integer NOT NULL,
    ids jsonb DEFAULT '{}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT ids_are_an_object CHECK ((jsonb_typeof(ids) = 'object'::text)),
    CONSTRAINT status_is_http CHECK (((status >= 200) AND (status <= 599)))
);


ALTER TABLE ccp.idempotency_keys OWNER TO ccp_owner;

-- Name: idempotency_keys_by_age; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX idempotency_keys_by_age ON ccp.idempotency_keys USING btree (created_at);


-- Name: image; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.image AS text
	CONSTRAINT image_is_a_reference CHECK ((VALUE ~ '^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$'::text));


ALTER DOMAIN ccp.image OWNER TO ccp_owner;

-- Name: label; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.label AS text
	CONSTRAINT label_is_short CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 100)));


ALTER DOMAIN ccp.label OWNER TO ccp_owner;

-- Name: lease_ids; Type: SEQUENCE; Schema: ccp; Owner: ccp_owner
--

CREATE SEQUENCE ccp.lease_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE ccp.lease_ids OWNER TO ccp_owner;

-- Name: logins dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.logins FOR SELECT TO ccp_dba USING (true);


-- Name: logins login_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.logins
    ADD CONSTRAINT login_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id) ON DELETE CASCADE;


-- Name: logins logins_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.logins
    ADD CONSTRAINT logins_pkey PRIMARY KEY (id);


-- Name: logins own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.logins TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: logins; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.logins ENABLE ROW LEVEL SECURITY;

-- Name: logins; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.logins (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    generation integer DEFAULT 1 NOT NULL,
    address inet,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    refreshed_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoke_reason text,
    CONSTRAINT generation_is_positive CHECK ((generation > 0)),
    CONSTRAINT revocation_has_a_reason CHECK (((revoked_at IS NULL) = (revoke_reason IS NULL)))
);


ALTER TABLE ccp.logins OWNER TO ccp_owner;

-- Name: logins_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX logins_of_a_user ON ccp.logins USING btree (user_id);


-- Name: memory_limit_mb; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.memory_limit_mb AS integer
	CONSTRAINT memory_limit_is_sane CHECK (((VALUE >= 128) AND (VALUE <= 1048576)));


ALTER DOMAIN ccp.memory_limit_mb OWNER TO ccp_owner;

-- Name: mtu; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.mtu AS integer
	CONSTRAINT mtu_is_sane CHECK (((VALUE >= 1280) AND (VALUE <= 1500)));


ALTER DOMAIN ccp.mtu OWNER TO ccp_owner;

-- Name: networks; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.networks AS cidr[]
	CONSTRAINT networks_are_given CHECK (((cardinality(VALUE) >= 1) AND (cardinality(VALUE) <= 64)));


ALTER DOMAIN ccp.networks OWNER TO ccp_owner;

-- Name: nodes node_name_is_unique; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.nodes
    ADD CONSTRAINT node_name_is_unique UNIQUE (name);


-- Name: nodes nodes_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.nodes
    ADD CONSTRAINT nodes_pkey PRIMARY KEY (id);


-- Name: nodes; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.nodes (
    id bigint NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT node_name_is_a_hostname CHECK ((name ~ '^[A-Za-z0-9]([A-Za-z0-9.-]{0,62})$'::text))
);


ALTER TABLE ccp.nodes OWNER TO ccp_owner;

-- Name: nodes_id_seq; Type: SEQUENCE; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.nodes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ccp.nodes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


-- Name: now; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.now WITH (security_barrier='true') AS
 SELECT 'host'::text AS what,
    s.host AS name,
    s.status,
    s.why
   FROM ccp.host_status s
  WHERE ((s.status)::text <> 'deleted'::text)
UNION ALL
 SELECT 'task'::text AS what,
    concat_ws(' '::text, t.kind, t.host) AS name,
    t.status,
    t.why
   FROM ccp.task_status t
  WHERE ((t.status)::text = ANY (ARRAY['queued'::text, 'running'::text]))
UNION ALL
 SELECT 'program'::text AS what,
    w.program AS name,
    w.status,
    w.why
   FROM ccp.workers w
UNION ALL
 SELECT 'session'::text AS what,
    u.username AS name,
        CASE
            WHEN (s.end_requested_at IS NULL) THEN 'open'::text
            ELSE 'ending'::text
        END AS status,
    format('%s has been in host %s by %s from %s for %s%s'::text, u.username, h.short_id, s.kind, host(s.address), clock.span((clock.now() - s.created_at)),
        CASE
            WHEN (s.end_requested_at IS NULL) THEN ''::text
            ELSE format(' and is being sent away (%s)'::text, s.end_reason)
        END) AS why
   FROM ((ccp.sessions s
     JOIN ccp.users u ON ((u.id = s.user_id)))
     JOIN ccp.hosts h ON ((h.id = s.host_id)))
  WHERE (s.ended_at IS NULL);


ALTER TABLE ccp.now OWNER TO ccp_owner;

-- Name: observations observation_comes_from_a_process; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.observations
    ADD CONSTRAINT observation_comes_from_a_process FOREIGN KEY (process_id) REFERENCES ccp.processes(id);


-- Name: observations observation_is_of_a_host; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.observations
    ADD CONSTRAINT observation_is_of_a_host FOREIGN KEY (host_id) REFERENCES ccp.hosts(id) ON DELETE CASCADE;


-- Name: observations observations_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.observations
    ADD CONSTRAINT observations_pkey PRIMARY KEY (host_id);


-- Name: observations; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.observations (
    host_id uuid NOT NULL,
    process_id bigint NOT NULL,
    sequence bigint NOT NULL,
    state text NOT NULL,
    code text,
    message text,
    observed_at timestamp with time zone NOT NULL,
    CONSTRAINT observed_message_is_short CHECK ((length(message) <= 2000)),
    CONSTRAINT observed_state_is_known CHECK ((state = ANY (ARRAY['running'::text, 'closed'::text, 'stopped'::text, 'absent'::text])))
);


ALTER TABLE ccp.observations OWNER TO ccp_owner;

-- Name: observations_by_process; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX observations_by_process ON ccp.observations USING btree (process_id);


-- Name: one_key_signs; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_key_signs ON ccp.signing_keys USING btree ((true)) WHERE (retired_at IS NULL);


-- Name: one_live_binding_per_exit; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_live_binding_per_exit ON ccp.bindings USING btree (egress_ip_id) WHERE (ended_at IS NULL);


-- Name: one_live_binding_per_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_live_binding_per_host ON ccp.bindings USING btree (host_id) WHERE (ended_at IS NULL);


-- Name: one_live_process_per_program_and_node; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_live_process_per_program_and_node ON ccp.processes USING btree (program, node_id) WHERE (ended_at IS NULL);


-- Name: one_live_task_of_a_kind_without_subject; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_live_task_of_a_kind_without_subject ON ccp.task_rows USING btree (kind, md5((params)::text)) WHERE (((status)::text = ANY (ARRAY['queued'::text, 'running'::text])) AND (stop_requested_at IS NULL) AND (host_id IS NULL));


-- Name: one_running_and_one_queued_task_per_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_running_and_one_queued_task_per_host ON ccp.task_rows USING btree (host_id, status) WHERE (((status)::text = ANY (ARRAY['queued'::text, 'running'::text])) AND (host_id IS NOT NULL));


-- Name: one_task_per_idempotency_key; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE UNIQUE INDEX one_task_per_idempotency_key ON ccp.task_rows USING btree (created_by, idempotency_key) WHERE (idempotency_key IS NOT NULL);


-- Name: penalties penalties_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.penalties
    ADD CONSTRAINT penalties_pkey PRIMARY KEY (source);


-- Name: penalties; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.penalties (
    source text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    refused boolean DEFAULT false NOT NULL,
    reason text NOT NULL,
    updated_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT source_is_short CHECK ((length(source) <= 200))
);


ALTER TABLE ccp.penalties OWNER TO ccp_owner;

-- Name: penalties_by_expiry; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX penalties_by_expiry ON ccp.penalties USING btree (expires_at);


-- Name: penalty_rules penalty_rules_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.penalty_rules
    ADD CONSTRAINT penalty_rules_pkey PRIMARY KEY (reason);


-- Name: penalty_rules; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.penalty_rules (
    reason text NOT NULL,
    seconds integer NOT NULL,
    description text NOT NULL,
    CONSTRAINT penalty_is_bounded CHECK (((seconds >= 1) AND (seconds <= 600)))
);


ALTER TABLE ccp.penalty_rules OWNER TO ccp_owner;

-- Name: percentage; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.percentage AS integer
	CONSTRAINT percentage_is_within_bounds CHECK (((VALUE >= 0) AND (VALUE <= 100)));


ALTER DOMAIN ccp.percentage OWNER TO ccp_owner;

-- Name: pids_limit; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.pids_limit AS integer
	CONSTRAINT pids_limit_is_sane CHECK (((VALUE >= 64) AND (VALUE <= 1048576)));


ALTER DOMAIN ccp.pids_limit OWNER TO ccp_owner;

-- Name: processes process_runs_on_a_node; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.processes
    ADD CONSTRAINT process_runs_on_a_node FOREIGN KEY (node_id) REFERENCES ccp.nodes(id);


-- Name: processes processes_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.processes
    ADD CONSTRAINT processes_pkey PRIMARY KEY (id);


-- Name: processes; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.processes (
    id bigint NOT NULL,
    program text NOT NULL,
    node_id bigint NOT NULL,
    queue text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    started_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    beat_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    ended_at timestamp with time zone,
    end_reason text,
    CONSTRAINT end_has_a_reason CHECK (((ended_at IS NULL) = (end_reason IS NULL))),
    CONSTRAINT end_reason_is_known CHECK ((end_reason = ANY (ARRAY['stopped'::text, 'replaced'::text, 'silent'::text, 'overdue'::text]))),
    CONSTRAINT program_is_known CHECK ((program = ANY (ARRAY['ccp-api'::text, 'ccp-worker'::text, 'ccp-agent'::text, 'ccp-sshproxy'::text]))),
    CONSTRAINT version_is_short CHECK ((length(version) <= 100))
)
WITH (fillfactor='50');


ALTER TABLE ccp.processes OWNER TO ccp_owner;

-- Name: processes_id_seq; Type: SEQUENCE; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.processes ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ccp.processes_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


-- Name: processes_of_a_node; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX processes_of_a_node ON ccp.processes USING btree (node_id);


-- Name: report; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.report AS text
	CONSTRAINT report_is_known CHECK ((VALUE = ANY (ARRAY['succeeded'::text, 'failed'::text, 'retry'::text, 'canceled'::text, 'handed_back'::text])));


ALTER DOMAIN ccp.report OWNER TO ccp_owner;

-- Name: request_key; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.request_key AS text
	CONSTRAINT request_key_is_short CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 200)));


ALTER DOMAIN ccp.request_key OWNER TO ccp_owner;

-- Name: retentions_by_creation; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX retentions_by_creation ON ccp.task_rows USING btree (created_at) WHERE (kind = 'events.retain'::text);


-- Name: role; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.role AS text
	CONSTRAINT role_is_known CHECK ((VALUE = ANY (ARRAY['user'::text, 'admin'::text])));


ALTER DOMAIN ccp.role OWNER TO ccp_owner;

-- Name: rules; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.rules WITH (security_barrier='true') AS
 SELECT k.kind,
    k.from_statuses AS allowed_from,
    k.while_status AS meanwhile,
    k.done_status AS done,
    k.failed_status AS failed,
    k.canceled_status AS canceled,
    k.desired,
    k.deadline,
    k.attempts_max AS attempts,
    ( SELECT jsonb_object_agg(p.name, p.pattern) AS jsonb_object_agg
           FROM ccp.task_params p
          WHERE (p.kind = k.kind)) AS params,
        CASE k.subject
            WHEN 'host'::text THEN format('insert into ccp.tasks (kind, host_id) values (''%s'', ...) to %s: from %s; the host is %s meanwhile and %s when done; %s'::text, k.kind, k.description, array_to_string(k.from_statuses, ', '::text), k.while_status, k.done_status,
            CASE
                WHEN (k.kind = 'host.delete'::text) THEN 'nothing stops it'::text
                WHEN k.waits THEN 'a busy host lets it wait its turn'::text
                ELSE 'a busy host refuses it'::text
            END)
            ELSE format('insert into ccp.tasks (kind) values (''%s'') to %s'::text, k.kind, k.description)
        END AS why
   FROM ccp.task_kinds k;


ALTER TABLE ccp.rules OWNER TO ccp_owner;

-- Name: sentence; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.sentence AS text
	CONSTRAINT sentence_is_short CHECK ((length(VALUE) <= 2000));


ALTER DOMAIN ccp.sentence OWNER TO ccp_owner;

-- Name: sessions dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.sessions FOR SELECT TO ccp_dba USING (true);


-- Name: sessions own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.sessions TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: sessions session_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.sessions
    ADD CONSTRAINT session_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id) ON DELETE CASCADE;


-- Name: sessions session_goes_into_a_host; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.sessions
    ADD CONSTRAINT session_goes_into_a_host FOREIGN KEY (host_id) REFERENCES ccp.hosts(id) ON DELETE CASCADE;


-- Name: sessions session_is_held_by_a_process; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.sessions
    ADD CONSTRAINT session_is_held_by_a_process FOREIGN KEY (process_id) REFERENCES ccp.processes(id);


-- Name: sessions sessions_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (id);


-- Name: sessions; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.sessions ENABLE ROW LEVEL SECURITY;

-- Name: sessions; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text DEFAULT 'ssh'::text NOT NULL,
    user_id uuid NOT NULL,
    host_id uuid NOT NULL,
    process_id bigint NOT NULL,
    method text NOT NULL,
    key_sha256 ccp.sha256,
    address inet NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    opened_at timestamp with time zone,
    confirmed_at timestamp with time zone,
    end_requested_at timestamp with time zone,
    ended_at timestamp with time zone,
    end_reason text,
    bytes_up bigint DEFAULT 0 NOT NULL,
    bytes_down bigint DEFAULT 0 NOT NULL,
    CONSTRAINT confirmed_session_was_opened CHECK (((confirmed_at IS NULL) OR (opened_at IS NOT NULL))),
    CONSTRAINT ended_session_has_a_reason CHECK ((((end_requested_at IS NULL) AND (ended_at IS NULL)) = (end_reason IS NULL))),
    CONSTRAINT session_bytes_are_counted CHECK (((bytes_up >= 0) AND (bytes_down >= 0))),
    CONSTRAINT session_end_reason_is_a_word CHECK ((end_reason ~ '^[a-z_]{1,40}$'::text)),
    CONSTRAINT session_kind_is_known CHECK ((kind = ANY (ARRAY['ssh'::text, 'desktop'::text]))),
    CONSTRAINT session_method_is_known CHECK ((method = ANY (ARRAY['key'::text, 'grant'::text, 'password'::text, 'token'::text])))
);


ALTER TABLE ccp.sessions OWNER TO ccp_owner;

-- Name: sessions_of_a_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX sessions_of_a_host ON ccp.sessions USING btree (host_id, created_at);


-- Name: sessions_of_a_process; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX sessions_of_a_process ON ccp.sessions USING btree (process_id);


-- Name: sessions_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX sessions_of_a_user ON ccp.sessions USING btree (user_id, created_at);


-- Name: sessions_open; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX sessions_open ON ccp.sessions USING btree (process_id, host_id) WHERE (ended_at IS NULL);


-- Name: settings settings_are_valid; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER settings_are_valid BEFORE INSERT OR UPDATE ON ccp.settings FOR EACH ROW EXECUTE FUNCTION setting.guard();


-- Name: settings settings_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.settings
    ADD CONSTRAINT settings_pkey PRIMARY KEY (name);


-- Name: settings; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.settings (
    name text NOT NULL,
    value jsonb,
    type text NOT NULL,
    pattern text,
    min integer NOT NULL,
    max integer NOT NULL,
    optional boolean DEFAULT false NOT NULL,
    description text NOT NULL,
    updated_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT setting_bounds_are_ordered CHECK ((min <= max)),
    CONSTRAINT setting_name_is_a_word CHECK ((name ~ '^[a-z][a-z0-9_]{1,62}$'::text)),
    CONSTRAINT setting_text_has_a_pattern CHECK (((type = ANY (ARRAY['text'::text, 'texts'::text])) = (pattern IS NOT NULL))),
    CONSTRAINT setting_type_is_known CHECK ((type = ANY (ARRAY['number'::text, 'text'::text, 'texts'::text, 'networks'::text])))
);


ALTER TABLE ccp.settings OWNER TO ccp_owner;

-- Name: sha256; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.sha256 AS text
	CONSTRAINT sha256_is_hex CHECK ((VALUE ~ '^[0-9a-f]{64}$'::text));


ALTER DOMAIN ccp.sha256 OWNER TO ccp_owner;

-- Name: short_id; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.short_id AS text
	CONSTRAINT short_id_is_a_word CHECK ((VALUE ~ '^[a-z0-9]{6,16}$'::text));


ALTER DOMAIN ccp.short_id OWNER TO ccp_owner;

-- Name: signing_keys signing_keys_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.signing_keys
    ADD CONSTRAINT signing_keys_pkey PRIMARY KEY (kid);


-- Name: signing_keys; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.signing_keys (
    kid text NOT NULL,
    secret bytea NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    retired_at timestamp with time zone,
    expires_at timestamp with time zone,
    CONSTRAINT kid_is_a_word CHECK ((kid ~ '^[A-Za-z0-9_-]{4,64}$'::text)),
    CONSTRAINT retired_key_expires CHECK (((retired_at IS NULL) = (expires_at IS NULL))),
    CONSTRAINT secret_has_32_bytes CHECK ((octet_length(secret) = 32))
);


ALTER TABLE ccp.signing_keys OWNER TO ccp_owner;

-- Name: small_object; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.small_object AS jsonb
	CONSTRAINT small_object_is_one CHECK (((jsonb_typeof(VALUE) = 'object'::text) AND (pg_column_size(VALUE) <= 8192)));


ALTER DOMAIN ccp.small_object OWNER TO ccp_owner;

-- Name: ssh_keys dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.ssh_keys FOR SELECT TO ccp_dba USING (true);


-- Name: ssh_keys own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.ssh_keys TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: ssh_keys ssh_key_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.ssh_keys
    ADD CONSTRAINT ssh_key_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id) ON DELETE CASCADE;


-- Name: ssh_keys ssh_key_is_registered_once; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.ssh_keys
    ADD CONSTRAINT ssh_key_is_registered_once UNIQUE (user_id, key_sha256);


-- Name: ssh_keys ssh_keys_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.ssh_keys
    ADD CONSTRAINT ssh_keys_pkey PRIMARY KEY (id);


-- Name: ssh_keys; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.ssh_keys ENABLE ROW LEVEL SECURITY;

-- Name: ssh_keys; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.ssh_keys (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    name ccp.label NOT NULL,
    public_key ccp.ssh_public_key NOT NULL,
    key_sha256 ccp.sha256 NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    last_used_at timestamp with time zone
);


ALTER TABLE ccp.ssh_keys OWNER TO ccp_owner;

-- Name: ssh_public_key; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.ssh_public_key AS text
	CONSTRAINT ssh_public_key_is_bounded CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 8192)))
	CONSTRAINT ssh_public_key_is_one_line CHECK ((VALUE ~ '^[a-z0-9@.-]+ [A-Za-z0-9+/=]+$'::text));


ALTER DOMAIN ccp.ssh_public_key OWNER TO ccp_owner;

-- Name: stop_reason; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.stop_reason AS text
	CONSTRAINT stop_reason_is_known CHECK ((VALUE = ANY (ARRAY['canceled'::text, 'superseded'::text, 'deadline'::text])));


ALTER DOMAIN ccp.stop_reason OWNER TO ccp_owner;

-- Name: stuck; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.stuck WITH (security_barrier='true') AS
 SELECT 'task'::text AS what,
    (t.id)::text AS id,
    concat_ws(' '::text, t.kind, s.host) AS name,
    t.run_at AS since,
    s.why
   FROM (ccp.task_rows t
     JOIN ccp.task_status s ON ((s.id = t.id)))
  WHERE (((t.status)::text = 'queued'::text) AND (t.run_at < (clock.now() - '00:00:30'::interval)) AND (NOT (EXISTS ( SELECT
           FROM ccp.task_rows r
          WHERE ((r.host_id = t.host_id) AND ((r.status)::text = 'running'::text))))))
UNION ALL
 SELECT 'task'::text AS what,
    (t.id)::text AS id,
    concat_ws(' '::text, t.kind, s.host) AS name,
    t.deadline_at AS since,
    format('it should have ended %s ago: %s'::text, clock.span((clock.now() - t.deadline_at)), s.why) AS why
   FROM (ccp.task_rows t
     JOIN ccp.task_status s ON ((s.id = t.id)))
  WHERE (((t.status)::text = 'running'::text) AND (t.deadline_at < (clock.now() - '00:00:05'::interval)))
UNION ALL
 SELECT 'host'::text AS what,
    (h.id)::text AS id,
    h.short_id AS name,
    h.status_changed_at AS since,
    format('host %s has been %s for %s and is wanted %s: %s'::text, h.short_id, h.status, clock.span((clock.now() - h.status_changed_at)), w.wanted,
        CASE
            WHEN ((w.wanted = 'running'::text) AND (b.id IS NULL)) THEN 'bind an exit to it'::text
            WHEN (NOT (EXISTS ( SELECT
               FROM ccp.ticks k
              WHERE (k.ticked_at > (clock.now() - '00:01:05'::interval))))) THEN 'nobody ticks; start ccp-worker'::text
            ELSE COALESCE(('the last try failed: '::text || (h.error_message)::text), 'the tick does not get to it; the server''s log tells why'::text)
        END) AS why
   FROM ((ccp.hosts h
     JOIN ccp.host_wants w ON ((w.host_id = h.id)))
     LEFT JOIN ccp.bindings b ON (((b.host_id = h.id) AND (b.ended_at IS NULL))))
  WHERE ((((h.status)::text <> 'deleted'::text) AND ((h.status)::text <> w.wanted)) AND (h.status_changed_at < (clock.now() - '00:00:30'::interval)) AND ((h.retry_at IS NULL) OR (h.retry_at < (clock.now() - '00:00:30'::interval))) AND (NOT (EXISTS ( SELECT
           FROM ccp.task_rows t
          WHERE ((t.host_id = h.id) AND ((t.status)::text = ANY (ARRAY['queued'::text, 'running'::text])))))))
UNION ALL
 SELECT 'session'::text AS what,
    (s.id)::text AS id,
    u.username AS name,
    s.end_requested_at AS since,
    format('a session of %s should have ended %s ago (%s); %s, which holds it, ends it when it hears of it'::text, u.username, clock.span((clock.now() - s.end_requested_at)), s.end_reason, p.program) AS why
   FROM ((ccp.sessions s
     JOIN ccp.users u ON ((u.id = s.user_id)))
     JOIN ccp.processes p ON ((p.id = s.process_id)))
  WHERE ((s.ended_at IS NULL) AND (s.end_requested_at < (clock.now() - '00:00:10'::interval)));


ALTER TABLE ccp.stuck OWNER TO ccp_owner;

-- Name: task_edges task_edges_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_edges
    ADD CONSTRAINT task_edges_pkey PRIMARY KEY (from_status, to_status);


-- Name: task_edges; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.task_edges (
    from_status text NOT NULL,
    to_status text NOT NULL,
    description text NOT NULL
);


ALTER TABLE ccp.task_edges OWNER TO ccp_owner;

-- Name: task_kinds task_kinds_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_kinds
    ADD CONSTRAINT task_kinds_pkey PRIMARY KEY (kind);


-- Name: task_kinds; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.task_kinds (
    kind text NOT NULL,
    description text NOT NULL,
    queue text NOT NULL,
    subject text NOT NULL,
    from_statuses text[],
    while_status text,
    done_status text,
    done_unwanted_status text,
    failed_status text,
    canceled_status text,
    desired ccp.desired_state,
    desired_canceled ccp.desired_state,
    deadline interval NOT NULL,
    attempts_max integer NOT NULL,
    losses_max integer DEFAULT 3 NOT NULL,
    waits boolean DEFAULT false NOT NULL,
    stopped_by text[] DEFAULT '{}'::text[] NOT NULL,
    superseded_by text[] DEFAULT '{}'::text[] NOT NULL,
    needs_active_user boolean DEFAULT false NOT NULL,
    needs_binding boolean DEFAULT false NOT NULL,
    needs_creation boolean DEFAULT false NOT NULL,
    CONSTRAINT attempts_are_positive CHECK (((attempts_max > 0) AND (losses_max > 0))),
    CONSTRAINT deadline_is_positive CHECK ((deadline > '00:00:00'::interval)),
    CONSTRAINT host_kinds_move_hosts CHECK ((((subject = 'host'::text) = (from_statuses IS NOT NULL)) AND ((subject = 'host'::text) = (while_status IS NOT NULL)) AND ((subject = 'host'::text) = (done_status IS NOT NULL)) AND ((subject = 'host'::text) = (failed_status IS NOT NULL)) AND ((subject = 'host'::text) = (canceled_status IS NOT NULL)))),
    CONSTRAINT queue_is_known CHECK ((queue = ANY (ARRAY['ccp_agent'::text, 'ccp_worker'::text]))),
    CONSTRAINT subject_is_known CHECK ((subject = ANY (ARRAY['host'::text, 'none'::text])))
);


ALTER TABLE ccp.task_kinds OWNER TO ccp_owner;

-- Name: task_params param_belongs_to_a_kind; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_params
    ADD CONSTRAINT param_belongs_to_a_kind FOREIGN KEY (kind) REFERENCES ccp.task_kinds(kind) DEFERRABLE;


-- Name: task_params task_params_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_params
    ADD CONSTRAINT task_params_pkey PRIMARY KEY (kind, name);


-- Name: task_params; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.task_params (
    kind text NOT NULL,
    name text NOT NULL,
    pattern text NOT NULL,
    default_value text,
    description text NOT NULL
);


ALTER TABLE ccp.task_params OWNER TO ccp_owner;

-- Name: task_rows dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.task_rows FOR SELECT TO ccp_dba USING (true);


-- Name: task_rows own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.task_rows TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: task_rows task_belongs_to_a_user; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_rows
    ADD CONSTRAINT task_belongs_to_a_user FOREIGN KEY (user_id) REFERENCES ccp.users(id);


-- Name: task_rows task_is_for_a_host; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_rows
    ADD CONSTRAINT task_is_for_a_host FOREIGN KEY (host_id) REFERENCES ccp.hosts(id) ON DELETE CASCADE;


-- Name: task_rows task_kind_is_known; Type: FK CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_rows
    ADD CONSTRAINT task_kind_is_known FOREIGN KEY (kind) REFERENCES ccp.task_kinds(kind);


-- Name: task_rows task_rows_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.task_rows
    ADD CONSTRAINT task_rows_pkey PRIMARY KEY (id);


-- Name: task_rows tasks_are_not_truncated; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER tasks_are_not_truncated BEFORE TRUNCATE ON ccp.task_rows FOR EACH STATEMENT EXECUTE FUNCTION task.refuse_truncate();


-- Name: task_rows tasks_begin_queued; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER tasks_begin_queued BEFORE INSERT ON ccp.task_rows FOR EACH ROW WHEN ((((new.status)::text <> ALL (ARRAY['queued'::text, 'succeeded'::text])) OR (new.attempt <> 0))) EXECUTE FUNCTION task.guard_insert();


-- Name: task_rows tasks_leave_when_finished; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER tasks_leave_when_finished BEFORE DELETE ON ccp.task_rows FOR EACH ROW WHEN ((old.finished_at IS NULL)) EXECUTE FUNCTION task.guard_delete();


-- Name: task_rows tasks_take_allowed_steps; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER tasks_take_allowed_steps BEFORE UPDATE OF status ON ccp.task_rows FOR EACH ROW WHEN (((old.status)::text IS DISTINCT FROM (new.status)::text)) EXECUTE FUNCTION task.guard();


-- Name: task_rows; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.task_rows ENABLE ROW LEVEL SECURITY;

-- Name: task_rows; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.task_rows (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    host_id uuid,
    user_id uuid,
    params ccp.small_object DEFAULT '{}'::jsonb NOT NULL,
    status ccp.task_state DEFAULT 'queued'::text NOT NULL,
    queue text NOT NULL,
    run_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    needs_active_user boolean DEFAULT false NOT NULL,
    attempt integer DEFAULT 0 NOT NULL,
    losses integer DEFAULT 0 NOT NULL,
    process_id bigint,
    lease bigint,
    deadline_at timestamp with time zone,
    stop_requested_at timestamp with time zone,
    stop_reason ccp.stop_reason,
    stage ccp.word,
    progress ccp.percentage,
    message ccp.sentence,
    reported_lease bigint,
    reported ccp.report,
    result jsonb,
    error_code ccp.word,
    error_message ccp.sentence,
    retryable boolean,
    idempotency_key ccp.request_key,
    created_by text NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    started_at timestamp with time zone,
    progressed_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT failure_has_a_code CHECK ((((status)::text <> 'failed'::text) OR (error_code IS NOT NULL))),
    CONSTRAINT finished_has_its_time CHECK ((((status)::text ~ '^(queued|running)$'::text) = (finished_at IS NULL))),
    CONSTRAINT host_and_user_come_together CHECK (((host_id IS NULL) = (user_id IS NULL))),
    CONSTRAINT only_running_has_a_lease CHECK ((num_nonnulls(lease, process_id, deadline_at) =
CASE status
    WHEN 'running'::text THEN 3
    ELSE 0
END)),
    CONSTRAINT queued_was_not_asked_to_stop CHECK ((((status)::text <> 'queued'::text) OR (stop_requested_at IS NULL))),
    CONSTRAINT report_has_its_lease CHECK (((reported IS NULL) = (reported_lease IS NULL))),
    CONSTRAINT result_is_bounded CHECK ((pg_column_size(result) <= 262144)),
    CONSTRAINT running_has_begun CHECK ((((status)::text <> 'running'::text) OR (started_at IS NOT NULL))),
    CONSTRAINT stop_has_a_reason CHECK (((stop_requested_at IS NULL) = (stop_reason IS NULL)))
)
WITH (fillfactor='85', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_cost_delay='0');


ALTER TABLE ccp.task_rows OWNER TO ccp_owner;

-- Name: task_state; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.task_state AS text
	CONSTRAINT task_state_is_known CHECK ((VALUE = ANY (ARRAY['queued'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'canceled'::text])));


ALTER DOMAIN ccp.task_state OWNER TO ccp_owner;

-- Name: task_status; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.task_status WITH (security_barrier='true') AS
 SELECT t.id,
    t.kind,
    h.short_id AS host,
    u.username,
    t.status,
    (t.stage)::text AS stage,
    t.attempt,
    t.created_at,
    t.finished_at,
        CASE
            WHEN ((t.status)::text = 'succeeded'::text) THEN format('%s was done in %s s, asked for by %s%s'::text, t.kind, round(EXTRACT(epoch FROM (t.finished_at - t.created_at)), 1), t.created_by,
            CASE
                WHEN (t.started_at IS NULL) THEN ': there was nothing left to do'::text
                ELSE ''::text
            END)
            WHEN ((t.status)::text = 'failed'::text) THEN format('%s failed on try %s (%s): %s'::text, t.kind, t.attempt, t.error_code, t.error_message)
            WHEN ((t.status)::text = 'canceled'::text) THEN format('%s was canceled: %s'::text, t.kind, COALESCE((t.error_message)::text, (t.error_code)::text))
            WHEN (((t.status)::text = 'running'::text) AND (t.stop_requested_at IS NOT NULL)) THEN format('%s was asked to stop %s ago, because %s'::text, t.kind, clock.span((clock.now() - t.stop_requested_at)),
            CASE t.stop_reason
                WHEN 'canceled'::text THEN 'somebody canceled it'::text
                WHEN 'superseded'::text THEN 'another request takes its place'::text
                ELSE 'its time is over; 30 s later its process is declared dead'::text
            END)
            WHEN ((t.status)::text = 'running'::text) THEN format('%s runs for %s on try %s: %s'::text, t.kind, clock.span((clock.now() - t.started_at)), t.attempt, COALESCE((t.message)::text, (t.stage)::text, 'it has not said yet what it does'::text))
            WHEN (r.id IS NOT NULL) THEN format('%s waits for %s on the same host to end'::text, t.kind, r.kind)
            WHEN (t.run_at > clock.now()) THEN format('%s is tried again in %s, after: %s'::text, t.kind, clock.span((t.run_at - clock.now())), t.error_message)
            WHEN (t.needs_active_user AND (w.user_state <> 'active'::text)) THEN format('%s is not begun, because its user is %s; the next tick cancels it'::text, t.kind, w.user_state)
            WHEN (p.id IS NULL) THEN format('%s waits, and no %s runs%s'::text, t.kind,
            CASE t.queue
                WHEN 'ccp_worker'::text THEN 'ccp-worker'::text
                ELSE 'ccp-agent'::text
            END, COALESCE((' on '::text || n.name), ''::text))
            WHEN (NOT process.is_heard(p.beat_at)) THEN format('%s waits, and %s on %s has not been heard of for %s'::text, t.kind, p.program, n.name, clock.span((clock.now() - p.beat_at)))
            ELSE format('%s has waited %s to be claimed'::text, t.kind, clock.span((clock.now() - t.run_at)))
        END AS why
   FROM ((((((ccp.task_rows t
     LEFT JOIN ccp.hosts h ON ((h.id = t.host_id)))
     LEFT JOIN ccp.users u ON ((u.id = t.user_id)))
     LEFT JOIN ccp.host_wants w ON (((w.host_id = t.host_id) AND ((t.status)::text = 'queued'::text))))
     LEFT JOIN ccp.task_rows r ON (((r.host_id = t.host_id) AND ((r.status)::text = 'running'::text) AND ((t.status)::text = 'queued'::text))))
     LEFT JOIN LATERAL ( SELECT l.id,
            l.program,
            l.node_id,
            l.beat_at
           FROM ccp.processes l
          WHERE (((t.status)::text = 'queued'::text) AND (l.queue = t.queue) AND (l.ended_at IS NULL))
          ORDER BY l.beat_at DESC
         LIMIT 1) p ON (true))
     LEFT JOIN ccp.nodes n ON ((n.id = COALESCE(h.node_id, p.node_id))));


ALTER TABLE ccp.task_status OWNER TO ccp_owner;

-- Name: tasks tasks_are_enqueued; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER tasks_are_enqueued INSTEAD OF INSERT ON ccp.tasks FOR EACH ROW EXECUTE FUNCTION task.insert_from_view();


-- Name: tasks; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.tasks WITH (security_barrier='true') AS
 SELECT t.id,
    t.kind,
    t.host_id,
    (t.params)::jsonb AS params,
    t.status,
    (t.stage)::text AS stage,
    (t.progress)::integer AS progress,
    (t.message)::text AS message,
    t.attempt,
    t.result,
    (t.error_code)::text AS error_code,
    (t.error_message)::text AS error_message,
    (t.idempotency_key)::text AS idempotency_key,
    t.created_by,
    t.created_at,
    t.started_at,
    t.finished_at
   FROM ccp.task_rows t;


ALTER TABLE ccp.tasks OWNER TO ccp_owner;

-- Name: tasks_by_creation; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX tasks_by_creation ON ccp.task_rows USING btree (created_at);


-- Name: tasks_of_a_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX tasks_of_a_host ON ccp.task_rows USING btree (host_id, created_at) WHERE (host_id IS NOT NULL);


-- Name: tasks_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX tasks_of_a_user ON ccp.task_rows USING btree (user_id, created_at) WHERE (user_id IS NOT NULL);


-- Name: tasks_running; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX tasks_running ON ccp.task_rows USING btree (process_id) WHERE ((status)::text = 'running'::text);


-- Name: tasks_to_claim; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX tasks_to_claim ON ccp.task_rows USING btree (queue, run_at) WHERE ((status)::text = 'queued'::text);


-- Name: ticks ticks_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.ticks
    ADD CONSTRAINT ticks_pkey PRIMARY KEY (who);


-- Name: ticks; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.ticks (
    who text NOT NULL,
    gap_limit interval NOT NULL,
    seen_at timestamp with time zone,
    ticked_at timestamp with time zone,
    grace_at timestamp with time zone
);


ALTER TABLE ccp.ticks OWNER TO ccp_owner;

-- Name: timezone; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.timezone AS text
	CONSTRAINT timezone_is_a_name CHECK ((VALUE ~ '^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$'::text))
	CONSTRAINT timezone_is_short CHECK (((length(VALUE) >= 1) AND (length(VALUE) <= 64)));


ALTER DOMAIN ccp.timezone OWNER TO ccp_owner;

-- Name: tombstones_by_age; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX tombstones_by_age ON ccp.hosts USING btree (deleted_at) WHERE (deleted_at IS NOT NULL);


-- Name: tunnel_type; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.tunnel_type AS text
	CONSTRAINT tunnel_type_is_known CHECK ((VALUE = 'wireguard'::text));


ALTER DOMAIN ccp.tunnel_type OWNER TO ccp_owner;

-- Name: user_state; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.user_state AS text
	CONSTRAINT user_state_is_known CHECK ((VALUE = ANY (ARRAY['active'::text, 'disabled'::text, 'expired'::text])));


ALTER DOMAIN ccp.user_state OWNER TO ccp_owner;

-- Name: username; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.username AS text
	CONSTRAINT username_is_a_name CHECK ((VALUE ~ '^[a-z0-9][a-z0-9._-]{2,49}$'::text));


ALTER DOMAIN ccp.username OWNER TO ccp_owner;

-- Name: users dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.users FOR SELECT TO ccp_dba USING (true);


-- Name: users own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.users TO ccp_as_user USING ((id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: users user_short_id_is_unique; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.users
    ADD CONSTRAINT user_short_id_is_unique UNIQUE (short_id);


-- Name: users username_is_unique; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.users
    ADD CONSTRAINT username_is_unique UNIQUE (username);


-- Name: users users_keep_expiry_announced; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER users_keep_expiry_announced BEFORE UPDATE OF expires_at ON ccp.users FOR EACH ROW WHEN ((old.expires_at IS DISTINCT FROM new.expires_at)) EXECUTE FUNCTION account.reset_expiry_announced();


-- Name: users users_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


-- Name: users users_touch; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER users_touch BEFORE UPDATE OF username, role, password_hash, expires_at, disabled_at ON ccp.users FOR EACH ROW WHEN ((old.* IS DISTINCT FROM new.*)) EXECUTE FUNCTION clock.touch();


-- Name: users; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.users ENABLE ROW LEVEL SECURITY;

-- Name: users; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    username ccp.username NOT NULL,
    short_id ccp.short_id NOT NULL,
    role ccp.role DEFAULT 'user'::text NOT NULL,
    password_hash text,
    password_changed_at timestamp with time zone,
    expires_at timestamp with time zone,
    expiry_announced_at timestamp with time zone,
    disabled_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT announced_expiry_exists CHECK (((expiry_announced_at IS NULL) OR (expires_at IS NOT NULL))),
    CONSTRAINT password_is_bcrypt CHECK ((password_hash ~ '^\$2b\$[0-9]{2}\$[./A-Za-z0-9]{53}$'::text))
)
WITH (fillfactor='85');


ALTER TABLE ccp.users OWNER TO ccp_owner;

-- Name: users_by_creation; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX users_by_creation ON ccp.users USING btree (created_at);


-- Name: users_by_expiry; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX users_by_expiry ON ccp.users USING btree (expires_at) WHERE (expires_at IS NOT NULL);


-- Name: users_disabled; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX users_disabled ON ccp.users USING btree (id) WHERE (disabled_at IS NOT NULL);


-- Name: verdict; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.verdict AS text
	CONSTRAINT verdict_is_known CHECK ((VALUE = ANY (ARRAY['ok'::text, 'too_many_attempts'::text, 'auth_invalid'::text, 'unauthenticated'::text, 'account_disabled'::text, 'account_expired'::text, 'host_not_found'::text, 'host_not_running'::text, 'egress_binding_missing'::text, 'start_failed'::text, 'ssh_not_ready'::text, 'session_ended'::text, 'port_invalid'::text])));


ALTER DOMAIN ccp.verdict OWNER TO ccp_owner;

-- Name: verification_ids; Type: SEQUENCE; Schema: ccp; Owner: ccp_owner
--

CREATE SEQUENCE ccp.verification_ids
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE ccp.verification_ids OWNER TO ccp_owner;

-- Name: verifications dba_reads_all; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY dba_reads_all ON ccp.verifications FOR SELECT TO ccp_dba USING (true);


-- Name: verifications own_rows_only; Type: POLICY; Schema: ccp; Owner: ccp_owner
--

CREATE POLICY own_rows_only ON ccp.verifications TO ccp_as_user USING ((user_id = (NULLIF(current_setting('ccp.user_id'::text, true), ''::text))::uuid));


-- Name: verifications verifications_are_append_only; Type: TRIGGER; Schema: ccp; Owner: ccp_owner
--

CREATE TRIGGER verifications_are_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON ccp.verifications FOR EACH STATEMENT EXECUTE FUNCTION event.refuse_change();


-- Name: verifications verifications_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.verifications
    ADD CONSTRAINT verifications_pkey PRIMARY KEY (id, at);


-- Name: verifications; Type: ROW SECURITY; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ccp.verifications ENABLE ROW LEVEL SECURITY;

-- Name: verifications; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.verifications (
    id bigint DEFAULT nextval('ccp.verification_ids'::regclass) NOT NULL,
    at timestamp with time zone DEFAULT clock.now() NOT NULL,
    host_id uuid NOT NULL,
    user_id uuid NOT NULL,
    task_id uuid,
    process_id bigint NOT NULL,
    kind text NOT NULL,
    outcome text NOT NULL,
    error_code text,
    exit_label text,
    expected_ip inet,
    observed_ip inet,
    checks jsonb NOT NULL,
    duration_ms integer NOT NULL,
    CONSTRAINT checks_are_a_list CHECK (((jsonb_typeof(checks) = 'array'::text) AND (pg_column_size(checks) <= 262144))),
    CONSTRAINT duration_is_positive CHECK ((duration_ms >= 0)),
    CONSTRAINT only_a_pass_has_no_code CHECK (((outcome = 'passed'::text) = (error_code IS NULL))),
    CONSTRAINT outcome_is_known CHECK ((outcome = ANY (ARRAY['passed'::text, 'failed'::text, 'inconclusive'::text]))),
    CONSTRAINT verification_code_is_a_word CHECK ((error_code ~ '^[a-z_]{1,60}$'::text)),
    CONSTRAINT verification_kind_is_known CHECK ((kind = ANY (ARRAY['start'::text, 'light'::text, 'full'::text, 'task'::text])))
)
PARTITION BY RANGE (at);


ALTER TABLE ccp.verifications OWNER TO ccp_owner;

-- Name: verifications_of_a_host; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX verifications_of_a_host ON ONLY ccp.verifications USING btree (host_id, at);


-- Name: verifications_of_a_user; Type: INDEX; Schema: ccp; Owner: ccp_owner
--

CREATE INDEX verifications_of_a_user ON ONLY ccp.verifications USING btree (user_id, at);


-- Name: webhooks webhooks_pkey; Type: CONSTRAINT; Schema: ccp; Owner: ccp_owner
--

ALTER TABLE ONLY ccp.webhooks
    ADD CONSTRAINT webhooks_pkey PRIMARY KEY (id);


-- Name: webhooks; Type: TABLE; Schema: ccp; Owner: ccp_owner
--

CREATE TABLE ccp.webhooks (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    url text NOT NULL,
    event_types text[] DEFAULT '{}'::text[] NOT NULL,
    secret_sealed text NOT NULL,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT clock.now() NOT NULL,
    CONSTRAINT webhook_url_is_http CHECK (((url ~ '^https?://'::text) AND (length(url) <= 2000)))
);


ALTER TABLE ccp.webhooks OWNER TO ccp_owner;

-- Name: wg_key; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.wg_key AS text
	CONSTRAINT wg_key_has_32_bytes CHECK ((VALUE ~ '^[A-Za-z0-9+/]{43}=$'::text));


ALTER DOMAIN ccp.wg_key OWNER TO ccp_owner;

-- Name: word; Type: DOMAIN; Schema: ccp; Owner: ccp_owner
--

CREATE DOMAIN ccp.word AS text
	CONSTRAINT word_is_plain CHECK ((VALUE ~ '^[a-z_]{1,60}$'::text));


ALTER DOMAIN ccp.word OWNER TO ccp_owner;

-- Name: workers; Type: VIEW; Schema: ccp; Owner: ccp_owner
--

CREATE VIEW ccp.workers WITH (security_barrier='true') AS
 SELECT p.id,
    p.program,
    n.name AS node,
    p.status,
    p.pid,
    p.version,
    p.queue,
    p.beat_at,
    ( SELECT count(*) AS count
           FROM ccp.task_rows t
          WHERE ((t.process_id = p.id) AND ((t.status)::text = 'running'::text))) AS running_tasks,
    ( SELECT count(*) AS count
           FROM ccp.task_rows t
          WHERE ((t.queue = p.queue) AND ((t.status)::text = 'queued'::text))) AS queued_tasks,
    ( SELECT count(*) AS count
           FROM ccp.sessions s
          WHERE ((s.process_id = p.id) AND (s.ended_at IS NULL))) AS sessions,
        CASE p.status
            WHEN 'alive'::text THEN format('%s on %s is alive: last heard of %s ago'::text, p.program, n.name, clock.span((clock.now() - p.beat_at)))
            WHEN 'silent'::text THEN format('%s on %s has been silent for %s: at 20 s it is declared dead'::text, p.program, n.name, clock.span((clock.now() - p.beat_at)))
            ELSE format('%s on %s ended %s ago (%s) and nothing has taken its place'::text, p.program, n.name, clock.span((clock.now() - p.ended_at)),
            CASE p.end_reason
                WHEN 'stopped'::text THEN 'it was stopped'::text
                WHEN 'silent'::text THEN 'it was not heard of for 20 s'::text
                WHEN 'overdue'::text THEN 'it kept a task 30 s past its deadline'::text
                ELSE p.end_reason
            END)
        END AS why
   FROM (( SELECT DISTINCT ON (l.program, l.node_id) l.id,
            l.program,
            l.node_id,
            l.queue,
            l.pid,
            l.version,
            l.started_at,
            l.beat_at,
            l.ended_at,
            l.end_reason,
                CASE
                    WHEN (l.ended_at IS NOT NULL) THEN 'ended'::text
                    WHEN process.is_heard(l.beat_at) THEN 'alive'::text
                    ELSE 'silent'::text
                END AS status
           FROM ccp.processes l
          ORDER BY l.program, l.node_id, l.id DESC) p
     JOIN ccp.nodes n ON ((n.id = p.node_id)))
  WHERE ((p.ended_at IS NULL) OR (p.ended_at > (clock.now() - '7 days'::interval)));


ALTER TABLE ccp.workers OWNER TO ccp_owner;


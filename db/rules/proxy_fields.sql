-- What the configuration of a proxy exit may hold, in the words of sing-box 1.14. The agent's own table
-- (agent/tunnel/proxy_outbound.c) takes the same.
insert into pg_temp.proxy_fields (part, name, type, pattern, min, max, required, description)
select p.part, f.name, f.type, f.pattern, f.min, f.max, f.required, f.description
from (
    values
        (
            'socks http shadowsocks vmess vless trojan hysteria2 tuic anytls',
            'server', 'address', null, null::integer, null::integer,
            true, 'address of the server; names are not looked up'
        ),
        (
            'socks http shadowsocks vmess vless trojan hysteria2 tuic anytls', 'server_port', 'number', null, 1, 65535,
            true, 'its port'
        ),
        ('socks http', 'username', 'text', null, 1, 255, false, 'who logs in; the password is in the secret'),
        ('socks', 'udp', 'flag', null, null, null, false, 'false: the server takes no UDP'),
        ('socks shadowsocks', 'udp_over_tcp', 'flag', null, null, null, false, 'UDP inside TCP'),
        (
            'shadowsocks', 'method', 'text',
            '2022-blake3-(aes-128-gcm|aes-256-gcm|chacha20-poly1305)|aes-(128|192|256)-gcm|x?chacha20-ietf-poly1305', 1, 40,
            true, 'an AEAD cipher; the stream ciphers of old (rc4-md5, aes-256-cfb and their like) and none can be read by others'
        ),
        ('vmess', 'security', 'text', 'auto|none|zero|aes-128-gcm|chacha20-poly1305', 1, 40, false, 'cipher'),
        ('vmess', 'alter_id', 'number', null, 0, 65535, false, '0 but for servers of old'),
        ('vmess vless', 'packet_encoding', 'text', '|packetaddr|xudp', 0, 20, false, 'how UDP is packed'),
        ('vless', 'flow', 'text', '|xtls-rprx-vision', 0, 20, false, 'vision needs tls and no transport'),
        ('tuic', 'congestion_control', 'text', 'cubic|new_reno|bbr', 1, 20, false, 'congestion control'),
        ('tuic', 'udp_relay_mode', 'text', 'native|quic', 1, 20, false, 'how UDP is packed'),
        ('tuic', 'heartbeat', 'text', '\d{1,5}(ms|s|m)', 1, 10, false, 'how often it is told that we live'),
        (
            'hysteria2', 'server_ports', 'texts', '\d{1,5}:\d{1,5}', 1, 16, false,
            'ranges of ports, of which another is taken at times'
        ),
        ('hysteria2', 'hop_interval', 'text', '\d{1,5}(ms|s|m)', 1, 10, false, 'how often'),
        ('hysteria2', 'up_mbps', 'number', null, 0, 65535, false, 'Mbit/s to the server'),
        ('hysteria2', 'down_mbps', 'number', null, 0, 65535, false, 'Mbit/s from it'),
        ('hysteria2', 'obfs', 'text', 'salamander', 1, 20, false, 'needs obfs_password in the secret'),
        ('http vmess vless', 'tls', 'tls', null, null, null, false, 'TLS around it'),
        (
            'trojan hysteria2 tuic anytls', 'tls', 'tls', null, null, null, true,
            'TLS around it, without which it is readable by others'
        ),
        ('vmess vless trojan', 'transport', 'transport', null, null, null, false, 'what it is packed in'),
        ('tls', 'server_name', 'text', '[A-Za-z0-9._:-]+', 1, 253, false, 'the name that the certificate is for'),
        ('tls', 'alpn', 'texts', '[!-~]{1,255}', 1, 16, false, 'protocols that are offered'),
        (
            'tls', 'certificate', 'text',
            '(-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=[:space:]]+-----END CERTIFICATE-----[[:space:]]*)+', 1, 32768,
            false, 'who may sign the certificate, in PEM'
        ),
        ('tls', 'certificate_public_key_sha256', 'texts', '[A-Za-z0-9+/]{43}=', 1, 16, false, 'digests of the keys it may have'),
        ('tls', 'min_version', 'text', '1\.[23]', 3, 3, false, 'the lowest version of TLS'),
        ('transport.ws transport.http transport.httpupgrade', 'path', 'text', null, 0, 1024, false, 'path of the request'),
        ('transport.ws transport.http transport.httpupgrade', 'host', 'text', null, 0, 1024, false, 'host that is asked for'),
        ('transport.ws', 'max_early_data', 'number', null, 0, 65535, false, 'bytes in the first request'),
        ('transport.ws', 'early_data_header_name', 'text', null, 0, 1024, false, 'where they are put'),
        ('transport.grpc', 'service_name', 'text', null, 0, 1024, false, 'name of the service'),

        ('socks http', 'password', 'secret', null, null, null, false, 'of the username'),
        ('shadowsocks trojan hysteria2 tuic anytls', 'password', 'secret', null, null, null, true, 'what lets us in'),
        ('vmess vless tuic', 'uuid', 'secret', null, null, null, true, 'what lets us in'),
        ('hysteria2', 'obfs_password', 'secret', null, null, null, false, 'of obfs'),
        (
            'method.2022-blake3-aes-128-gcm', 'password', 'secret', null, 16, 8, true,
            'a key of 16 bytes in base64, with its padding, or up to 8 of them with a colon between: the relays'' and the user''s'
        ),
        (
            'method.2022-blake3-aes-256-gcm', 'password', 'secret', null, 32, 8, true,
            'a key of 32 bytes in base64, with its padding, or up to 8 of them with a colon between: the relays'' and the user''s'
        ),
        (
            'method.2022-blake3-chacha20-poly1305', 'password', 'secret', null, 32, 1, true,
            'a key of 32 bytes in base64, with its padding'
        ),

        (
            'tls', 'insecure', 'refused', null, null, null, false,
            'anybody could be the server; give certificate or certificate_public_key_sha256 in its place'
        ),
        (
            'tls', 'utls', 'refused', null, null, null, false,
            'it disguises the connection as a browser''s, which is not built here'
        ),
        (
            'tls', 'reality', 'refused', null, null, null, false,
            'it disguises the server as another, which is not built here; ask the provider for TLS'
        ),
        ('tls', 'ech', 'refused', null, null, null, false, 'it is not built here'),
        ('tls', 'fragment', 'refused', null, null, null, false, 'it disguises the connection, which is not built here'),
        ('tls', 'record_fragment', 'refused', null, null, null, false, 'it disguises the connection, which is not built here'),
        (
            'shadowsocks', 'plugin', 'refused', null, null, null, false,
            'plugins are not built here; ask the provider for a server without one'
        ),
        (
            'shadowsocks', 'plugin_opts', 'refused', null, null, null, false,
            'plugins are not built here; ask the provider for a server without one'
        ),
        (
            'socks http shadowsocks vmess vless trojan hysteria2 tuic anytls', 'detour', 'refused', null, null, null, false,
            'an exit has one way out'
        ),
        (
            'type', 'naive', 'refused', null, null, null, false,
            'it disguises the connection as a browser''s, which is not built here'
        ),
        ('type', 'direct', 'refused', null, null, null, false, 'it is no exit: traffic would leave from this machine'),
        ('type', 'wireguard', 'refused', null, null, null, false, 'register it with tunnel_type wireguard'),
        (
            'type', 'shadowsocksr', 'refused', null, null, null, false,
            'its ciphers can be read by others; ask the provider for shadowsocks'
        ),
        ('type', 'hysteria', 'refused', null, null, null, false, 'ask the provider for hysteria2'),
        ('type', 'ssh', 'refused', null, null, null, false, 'it is not built here'),
        ('type', 'tor', 'refused', null, null, null, false, 'its exit address is never the same'),
        ('type', 'shadowtls', 'refused', null, null, null, false, 'it disguises the connection, which is not built here')
) as f (parts, name, type, pattern, min, max, required, description)
cross join lateral unnest(string_to_array(f.parts, ' ')) as p (part);

"""The fake internet: an uplink with no way out, two WireGuard exits, echo sources, targets, DNS, a provider."""

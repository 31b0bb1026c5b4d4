#!/bin/bash
# Installs, with Debian's own tools, the real servers that the tests drive.
#
# Quick when everything is there. As root it installs; else it uses `sudo -n` where that works;
# else it names the tests that will be left out and the command that brings them back.
# Where CI=true a missing server is a failure. It starts no service and leaves no setting behind.
set -euo pipefail

CI=${CI:-false}
POLICY=/usr/sbin/policy-rc.d

# package:what is left out without it
WANTED=(
  "ca-certificates:everything that is fetched"
  "prometheus:alert rules, metrics and guards"
  "prometheus-alertmanager:alerts from end to end"
  "haproxy:load balancer runbooks"
  "socat:load balancer runbooks"
  "etcd-server:PostgreSQL failover with Patroni"
  "redis-server:Redis failover"
  "redis-sentinel:Redis failover"
  "nginx-light:load shedding at nginx"
  "pdns-server:DNS failover"
  "pdns-backend-sqlite3:DNS failover"
  "sqlite3:DNS failover"
  "bind9:DNS failover by RFC 2136"
  "bird2:routes withdrawn and brought back"
  "openssh-server:programs on hosts"
  "openssh-client:access paths over a SOCKS proxy"
  "microsocks:access paths over a SOCKS proxy"
  "tinyproxy-bin:access paths over an HTTP proxy"
  "pgbackrest:restore drills of PostgreSQL"
  "restic:restore drills of files"
  "mosquitto:notices by MQTT"
  "ngircd:notices by IRC"
  "iproute2:partitions between network namespaces"
  "git:status pages that are a repository"
  "curl:hosts behind a BMC"
  "ipmitool:hosts behind a BMC that speaks IPMI"
  "openipmi:serial consoles behind a BMC"
  "chromium:the web pages in a browser"
  "fonts-dejavu-core:screenshots"
  "fonts-noto-color-emoji:screenshots"
)

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

main() {
  if ! command -v apt-get >/dev/null; then
    echo "tests/servers/apt.sh: this is not Debian or Ubuntu; the tests use the servers they find on PATH" >&2
    [ "$CI" != true ]
    return
  fi
  local missing=() lost=() item
  for item in "${WANTED[@]}"; do
    installed "${item%%:*}" || { missing+=("${item%%:*}"); lost+=("${item#*:}"); }
  done
  # Any PostgreSQL will do.
  compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
    { missing+=(postgresql); lost+=("the store and engine on PostgreSQL"); }
  # Node may come from elsewhere than Debian, and then brings npm along.
  command -v node >/dev/null || { missing+=(nodejs); lost+=("Slack's own Node library, feature flags on Unleash"); }
  command -v npm >/dev/null || { missing+=(npm); lost+=("Slack's own Node library, feature flags on Unleash"); }
  venv_possible || { missing+=(python3-venv); lost+=("everything: a virtual environment needs it"); }
  [ ${#missing[@]} -gt 0 ] || return 0

  local install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if [ "$(id -u)" = 0 ]; then
    as_root=()
  elif sudo -n true 2>/dev/null; then
    as_root=(sudo -n)
  else
    echo "Left out, for want of ${missing[*]}:" >&2
    printf '%s\n' "${lost[@]}" | sort -u | sed 's/^/  - /' >&2
    echo "To have them: sudo ${install[*]}" >&2
    [ "$CI" != true ]
    return
  fi

  echo "Installing ${missing[*]}"
  forbid_services
  local quiet=(-qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  # One stale third-party list must not stop us: the install itself decides.
  "${as_root[@]}" apt-get update "${quiet[@]}" || echo "apt-get update complained; going on" >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}" "${quiet[@]}" >/dev/null
  keep_disabled "${missing[@]}"
}

venv_possible() {
  command -v uv >/dev/null || [ -x .venv/bin/python ] || python3 -c 'import ensurepip' 2>/dev/null
}

# Packages ask policy-rc.d whether they may start their daemon. A machine's own answer is kept.
forbid_services() {
  [ ! -e "$POLICY" ] || return 0
  trap '"${as_root[@]}" rm -f "$POLICY"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$POLICY" >/dev/null
  "${as_root[@]}" chmod 755 "$POLICY"
}

# What was installed only for tests must not start at the next boot either.
keep_disabled() {
  [ -d /run/systemd/system ] || return 0
  local package unit
  for package in "$@"; do
    case $package in # a package that ships a unit, and the unit's name
      postgresql | prometheus | prometheus-alertmanager | haproxy | redis-server | mosquitto | ngircd | openipmi) unit=$package ;;
      redis-sentinel) unit=sentinel ;;
      etcd-server) unit=etcd ;;
      nginx-light) unit=nginx ;;
      pdns-server) unit=pdns ;;
      bind9) unit=named ;;
      bird2) unit=bird ;;
      openssh-server) unit=ssh ;;
      ipmitool) unit=ipmievd ;;
      *) continue ;;
    esac
    "${as_root[@]}" systemctl disable --quiet "$unit" 2>/dev/null || true
  done
}

main "$@"

#!/bin/sh
# transmission-daemon as a plain seeder or downloader; becomes the daemon, so that its process id is ours.
# usage: transmission-peer.sh seed|leech TORRENT DIR ADDRESS PORT HOME
# Says READY when the content is checked and served, DONE when it is all there.
set -eu
mode=$1 torrent=$2 directory=$3 address=$4 port=$5 home=$6
rpc=127.0.0.1:$((port < 60000 ? port + 5000 : port - 5000))

# The daemon gives its scripts another standard output than its own.
mkfifo "$home/said"
cat 0<>"$home/said" &
printf '#!/bin/sh\necho DONE >"%s"\n' "$home/said" >"$home/done.sh"
chmod +x "$home/done.sh"
cat >"$home/settings.json" <<END
{ "bind-address-ipv4": "$address", "bind-address-ipv6": "::1", "peer-port": $port, "peer-port-random-on-start": false,
  "rpc-enabled": true, "rpc-bind-address": "127.0.0.1", "rpc-port": ${rpc#*:}, "rpc-authentication-required": false,
  "rpc-whitelist-enabled": false, "dht-enabled": false, "lpd-enabled": false, "pex-enabled": false, "utp-enabled": false,
  "port-forwarding-enabled": false, "encryption": 0, "preallocation": 0, "rename-partial-files": false,
  "incomplete-dir-enabled": false, "download-dir": "$directory", "speed-limit-down-enabled": false,
  "speed-limit-up-enabled": false, "ratio-limit-enabled": false, "idle-seeding-limit-enabled": false,
  "download-queue-enabled": false, "seed-queue-enabled": false, "script-torrent-done-enabled": true,
  "script-torrent-done-filename": "$home/done.sh" }
END
(
  until transmission-remote "$rpc" --add "$torrent" --download-dir "$directory" 2>&1 | grep -q success; do sleep 0.1; done
  [ "$mode" = seed ] || exit 0
  until transmission-remote "$rpc" --torrent 1 --info | grep -q 'State: \(Idle\|Seeding\)'; do sleep 0.1; done
  echo READY
) &
exec transmission-daemon --foreground --config-dir "$home" --log-error

#!/usr/bin/python3
"""libtorrent as a plain seeder or downloader over TCP. usage: lt-peer.py seed|leech TORRENT DIR ADDRESS:PORT [PEER]..."""
import signal
import sys

import libtorrent as lt

mode, torrent, directory, listen = sys.argv[1:5]
session = lt.session({
    "listen_interfaces": listen,
    "outgoing_interfaces": listen.rsplit(":", 1)[0],
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "enable_incoming_utp": False, "enable_outgoing_utp": False,
    # All peers and their tracker are on this machine.
    "allow_multiple_connections_per_ip": True, "ssrf_mitigation": False,
    "in_enc_policy": int(lt.enc_policy.disabled), "out_enc_policy": int(lt.enc_policy.disabled),
    "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
})
parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = directory
parameters.flags = parameters.flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
handle = session.add_torrent(parameters)
for peer in sys.argv[5:]:
    host, port = peer.rsplit(":", 1)
    handle.connect_peer((host, int(port)))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
told = False
while True:
    session.wait_for_alert(200)
    for alert in session.pop_alerts():
        if isinstance(alert, lt.listen_succeeded_alert):
            print("LISTENING", flush=True)
        if isinstance(alert, lt.torrent_finished_alert) and not told:
            told = True
            print("READY" if mode == "seed" else "DONE", flush=True)
    if mode == "seed" and not told and handle.status().is_seeding:
        told = True
        print("READY", flush=True)

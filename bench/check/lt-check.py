#!/usr/bin/python3
"""libtorrent checking content that is there. usage: lt-check.py TORRENT DIR. Says DONE with the seconds it took."""
import sys
import time

import libtorrent as lt

torrent, directory = sys.argv[1:3]
session = lt.session({
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
    "alert_mask": lt.alert.category_t.status_notification | lt.alert.category_t.error_notification,
})
parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = directory
parameters.flags = parameters.flags & ~lt.torrent_flags.auto_managed & ~lt.torrent_flags.paused
started_at = time.monotonic()
handle = session.add_torrent(parameters)
while not handle.status().is_seeding:
    session.wait_for_alert(50)
    session.pop_alerts()
print("DONE", time.monotonic() - started_at, flush=True)

"""A libtorrent session with one torrent: libtorrent-peer.py seed|download TORRENT DIRECTORY ADDRESS PORT.

Prints "complete" once every piece has been checked, then goes on seeding until SIGTERM. It finds peers through the
torrent's trackers only, over plain TCP.
"""
import signal
import sys

import libtorrent as lt

mode, torrent, directory, address, port = sys.argv[1:]

session = lt.session(
    {
        "listen_interfaces": f"{address}:{port}",
        "outgoing_interfaces": address,
        "enable_dht": False,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        # The tracker lives at a private address, which these two would otherwise treat as an attack or a mistake.
        "ssrf_mitigation": False,
        "allow_multiple_connections_per_ip": True,
        "announce_to_all_trackers": True,
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.status_notification
        | lt.alert.category_t.tracker_notification
        | lt.alert.category_t.connect_notification,
    }
)
params = lt.add_torrent_params()
params.ti = lt.torrent_info(torrent)
params.save_path = directory
params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
handle = session.add_torrent(params)

stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
told = False
while not stopping:
    session.wait_for_alert(200)
    for alert in session.pop_alerts():
        print(f"{type(alert).__name__}: {alert}", file=sys.stderr, flush=True)
        if isinstance(alert, (lt.torrent_error_alert, lt.file_error_alert, lt.listen_failed_alert)):
            sys.exit(1)
    if not told and handle.status().is_seeding:
        told = True
        print("complete", flush=True)
    elif mode == "seed" and handle.status().state == lt.torrent_status.states.downloading:
        print("the content to seed is not complete", file=sys.stderr, flush=True)
        sys.exit(1)

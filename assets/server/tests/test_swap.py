"""How connections are led while containers are exchanged. Not proven: what nftables and nginx make of it (see test/lab)."""

import json
import unittest
from pathlib import Path

from geoclic_server import detour, handover, interruption, maintenance
from geoclic_server.connections import inbound, quiet_seconds
from geoclic_server.failure import Failure

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(local: str, remote: str, state: str) -> str:
    return f"   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000     0        0 1\n"


class ConnectionsTest(unittest.TestCase):
    def test_counts_what_others_hold_to_a_listened_port(self) -> None:
        listening = HEAD + row("00000000:1F40", "00000000:0000", "0A")
        for name, added, expected in [
            ("nobody", "", 0),
            ("a request", row("030012AC:1F40", "0B0012AC:C350", "01"), 1),
            ("one that is closing", row("030012AC:1F40", "0B0012AC:C350", "06"), 0),
            ("its own to the database", row("030012AC:C351", "020012AC:1538", "01"), 0),
            ("its own health check", row("0100007F:1F40", "0100007F:C352", "01"), 0),
            ("over IPv6's socket", HEAD + row("0000000000000000FFFF0000030012AC:1F40", "0000000000000000FFFF00000B0012AC:C350", "01"), 1),
        ]:
            with self.subTest(name):
                self.assertEqual(inbound(listening + added), expected)

    def test_quiet_since_the_last_byte_of_any(self) -> None:
        self.assertEqual(quiet_seconds("0 0 a b\t cubic lastsnd:40 lastrcv:1500 lastack:40\n0 0 c d\t lastrcv:700\n"), 0.7)
        # What came within the same millisecond has no figure.
        self.assertEqual(quiet_seconds("0 0 a b\t cubic lastrcv:1500\n0 0 c d\t cubic lastsnd:4\n"), 0.0)
        self.assertEqual(quiet_seconds(""), float("inf"))


class DetourTest(unittest.TestCase):
    def test_an_address_that_another_service_gets_keeps_what_the_ingress_means_by_it(self) -> None:
        loaded = {"10.0.0.3": "10.0.0.3", "10.0.0.4": "10.0.0.4"}  # api, admin
        api = detour.switched(loaded, "10.0.0.3", "10.0.0.12")
        # The new admin gets the former api's address.
        admin = detour.switched(api, "10.0.0.4", "10.0.0.3")
        self.assertEqual(admin, {"10.0.0.3": "10.0.0.12", "10.0.0.4": "10.0.0.3"})
        # And goes again.
        self.assertEqual(detour.switched(admin, "10.0.0.3", "10.0.0.5"), {"10.0.0.3": "10.0.0.12", "10.0.0.4": "10.0.0.5"})

    def test_table(self) -> None:
        text = detour.table({"10.0.0.3": "10.0.0.12"}, detour.Hold("10.0.0.0/16", ("10.0.0.4", "10.0.0.3"), "10.0.0.3"))
        self.assertEqual(text.splitlines()[:2], ["table ip geoclic_detour", "delete table ip geoclic_detour"])
        self.assertIn("elements = { 10.0.0.3 : 10.0.0.12 };", text)
        self.assertIn("meta l4proto tcp ip daddr 10.0.0.0/16 ip daddr != { 10.0.0.3, 10.0.0.4 } dnat to 10.0.0.3", text)
        self.assertNotIn("elements", detour.table({}))

    def test_reads_its_map_back(self) -> None:
        listed = {"nftables": [{"metainfo": {}}, {"map": {"name": "leads", "elem": [["10.0.0.3", "10.0.0.12"]]}}]}
        self.assertEqual(detour.read_leads(json.dumps(listed)), {"10.0.0.3": "10.0.0.12"})
        self.assertIsNone(detour.read_leads(""))


class HandoverTest(unittest.TestCase):
    def test_rules_for_what_is_published_over_tcp(self) -> None:
        ports = handover.published([{"published": "443", "target": 8443, "protocol": "tcp"}, {"published": "443", "target": 8443, "protocol": "udp"}, {"target": 9}])
        self.assertEqual(ports, {443: 8443})
        text = handover.rules("10.0.0.9", ports)
        self.assertIn('iifname != "docker0" iifname != "br-*" fib daddr type local tcp dport 443 dnat to 10.0.0.9:8443', text)
        self.assertIn("ip daddr != 127.0.0.0/8 fib daddr type local tcp dport 443 dnat to 10.0.0.9:8443", text)


class MaintenanceTest(unittest.TestCase):
    def test_the_nearest_mounted_folder_has_the_file(self) -> None:
        volumes = [{"type": "bind", "source": "/s/www", "target": "/var/www"}, {"type": "bind", "source": "/s/public", "target": "/var/www/fleet"},
                   {"type": "volume", "source": "photos", "target": "/var/www/photos"}]
        for inside, expected in [("/var/www/.maintenance", Path("/s/www/.maintenance")), ("/var/www/fleet/off", Path("/s/public/off")), ("/etc/x", None)]:
            self.assertEqual(maintenance.on_server(inside, volumes), expected)


class InterruptionTest(unittest.TestCase):
    def test_is_obeyed_until_the_point_of_return(self) -> None:
        interruption.check()
        interruption.listen()
        self.addCleanup(interruption.deafen)
        interruption._note(15, None)
        with self.assertRaises(Failure) as caught:
            interruption.check()
        self.assertEqual(caught.exception.code, "CANCELLED")
        interruption.deafen()
        interruption.check()

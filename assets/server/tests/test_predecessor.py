"""What is the predecessor's and what is not: crontab lines, its unit, its way of renewing, its environment.

Not proven: that its files are as described here; see test/lab/adoption.test.ts for a whole server of it.
"""

import unittest

from geoclic_server import predecessor
from geoclic_server.certificate import webroot_renewal

BACKUP = "0 2 * * * /opt/geoclic/scripts/backup_db.sh >> /var/log/geoclic_backup.log 2>&1\n"
MONITOR = "*/5 * * * * /opt/geoclic/scripts/monitor.sh > /dev/null 2>&1\n"
RENEWAL = ('0 3 * * * certbot renew --quiet --deploy-hook "cp /etc/letsencrypt/live/ville.fr/fullchain.pem /opt/geoclic/deploy/nginx/ssl/'
           ' && cp /etc/letsencrypt/live/ville.fr/privkey.pem /opt/geoclic/deploy/nginx/ssl/ && docker restart geoclic_nginx"\n')


class CrontabTest(unittest.TestCase):
    def test_its_three_lines_go(self) -> None:
        self.assertEqual(predecessor.without_cron_lines(BACKUP + MONITOR + RENEWAL), "")
        for line in (
            "0 2 * * * bash /opt/geoclic/scripts/backup_db.sh\n",
            "*/5 * * * * /bin/bash /opt/geoclic/scripts/monitor.sh >/dev/null 2>&1",
            "0 3 * * * /usr/bin/certbot renew --quiet --deploy-hook 'cp /etc/letsencrypt/live/a.fr/*.pem /opt/geoclic/deploy/nginx/ssl/; cd /opt/geoclic/deploy &&"
            " docker compose restart nginx' >> /var/log/x.log 2>&1\n",
        ):
            with self.subTest(line):
                self.assertEqual(predecessor.without_cron_lines(line), "")

    def test_others_stay_byte_for_byte(self) -> None:
        others = [
            "# geoclic monitor, certbot\n",
            "MAILTO=root\n",
            "\n",
            "0 4 * * *\t/usr/local/bin/mirror  --all \r\n",
            "#" + BACKUP,
            "0 2 * * * /opt/geoclic/scripts/backup_db.sh && curl -fsS https://ping.example/x\n",
            "0 2 * * * /opt/geoclic/scripts/other.sh\n",
            "0 2 * * * /home/x/opt/geoclic/scripts/backup_db.sh\n",
            "@daily /opt/geoclic/scripts/backup_db.sh.bak\n",
            "0 3 * * * certbot renew --quiet\n",
            "0 3 * * * certbot renew --deploy-hook 'systemctl reload dovecot'\n",
            RENEWAL.replace('geoclic_nginx"', 'geoclic_nginx && systemctl reload dovecot"'),
            "5 5 * * * last line without its end",
        ]
        for line in others:
            with self.subTest(line):
                self.assertEqual(predecessor.without_cron_lines(line), line)
        mixed = others[0] + BACKUP + others[2] + MONITOR + others[3] + RENEWAL + others[-1]
        self.assertEqual(predecessor.without_cron_lines(mixed), others[0] + others[2] + others[3] + others[-1])


class UnitTest(unittest.TestCase):
    def test_its_unit_and_ours(self) -> None:
        its = "[Service]\nType=oneshot\nRemainAfterExit=yes\nWorkingDirectory=/opt/geoclic/deploy\nExecStart=/usr/bin/docker compose up -d\n"
        self.assertTrue(predecessor.is_its_unit(its))
        self.assertFalse(predecessor.is_its_unit("[Service]\nExecStart=/opt/geoclic/server/start-suite --client ville\n"))
        self.assertFalse(predecessor.is_its_unit(its.replace("/opt/geoclic/deploy", "/opt/other")))


STANDALONE = """# renew_before_expiry = 30 days
version = 4.0.0
archive_dir = /etc/letsencrypt/archive/ville.fr
cert = /etc/letsencrypt/live/ville.fr/cert.pem

# Options used in the renewal process
[renewalparams]
account = 0123
authenticator = standalone
server = https://acme-v02.api.letsencrypt.org/directory
key_type = ecdsa
renew_hook = cp /etc/letsencrypt/live/ville.fr/fullchain.pem /opt/geoclic/deploy/nginx/ssl/
"""


class RenewalTest(unittest.TestCase):
    def test_standalone_becomes_webroot_and_keeps_the_rest(self) -> None:
        changed = webroot_renewal(STANDALONE, "/opt/geoclic/shared/acme")
        self.assertIn("[renewalparams]\nauthenticator = webroot\nwebroot_path = /opt/geoclic/shared/acme,\naccount = 0123\n", changed)
        self.assertIn("server = https://acme-v02.api.letsencrypt.org/directory\nkey_type = ecdsa\n", changed)
        self.assertNotIn("standalone", changed)
        self.assertNotIn("renew_hook", changed)
        self.assertEqual(webroot_renewal(changed, "/opt/geoclic/shared/acme"), changed)

    def test_another_webroot_is_replaced_with_its_map(self) -> None:
        other = STANDALONE.replace("standalone", "webroot\nwebroot_path = /var/www,") + "[[webroot_map]]\nville.fr = /var/www\n"
        changed = webroot_renewal(other, "/opt/geoclic/shared/acme")
        self.assertNotIn("/var/www", changed)
        self.assertIn("webroot_path = /opt/geoclic/shared/acme,", changed)

    def test_what_somebody_chose_stays(self) -> None:
        for text in (STANDALONE.replace("standalone", "dns-ovh"), STANDALONE.replace("standalone", "nginx"), ""):
            with self.subTest(text[-20:]):
                self.assertEqual(webroot_renewal(text, "/opt/geoclic/shared/acme"), text)

    def test_hooks_of_others_stay(self) -> None:
        text = STANDALONE.replace("renew_hook = cp", "post_hook = systemctl reload dovecot\nrenew_hook = cp")
        self.assertIn("post_hook = systemctl reload dovecot", webroot_renewal(text, "/w"))


class EnvironmentTest(unittest.TestCase):
    def test_what_a_container_runs_with_counts(self) -> None:
        described = {"JWT_SECRET_KEY": "new-key", "DATABASE_URL": "postgresql://u:pass-word@db/n", "DEBUG": "false", "POSTGRES_PASSWORD": "pass-word", "ABSENT": "new-key"}
        running = {**described, "DEBUG": "true", "POSTGRES_PASSWORD": "of-its-first-start", "PATH": "/bin"}
        del running["ABSENT"]
        secrets = {"JWT_SECRET_KEY": "new-key", "DB_PASSWORD": "pass-word", "EMPTY": ""}
        self.assertEqual(predecessor.differences(described, running, secrets), [])
        changed = {**running, "JWT_SECRET_KEY": "old-key", "DATABASE_URL": "postgresql://u:other@db/n"}
        self.assertEqual(predecessor.differences(described, changed, secrets), [("JWT_SECRET_KEY", "JWT_SECRET_KEY"), ("DB_PASSWORD", "DATABASE_URL")])


if __name__ == "__main__":
    unittest.main()

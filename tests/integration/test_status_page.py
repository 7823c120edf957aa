"""The page of the admin port in a browser without a screen: it shows what /status says, also when all is not well."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.support.cluster import Cluster
from tests.support.proxy import Proxy
from tests.support.waiting import scaled, wait_until

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@unittest.skipUnless(BROWSER, "no Chromium here")
class StatusPage(unittest.TestCase):
    def setUp(self):
        self.servers = Cluster(replicas=1)
        self.addCleanup(self.servers.stop)
        self.proxy = Proxy(self.servers.primary.url(), self.servers.replica.url(), health_interval="200ms")
        self.addCleanup(self.proxy.stop)
        wait_until(lambda: self.proxy.health()[0] == 200, message="all connected")
        self.profile = tempfile.mkdtemp(prefix="pgsteer-browser-")
        self.addCleanup(shutil.rmtree, self.profile, ignore_errors=True)

    def browse(self, *options):
        """What the browser prints after it has shown the page for some seconds of its own time."""
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             f"--user-data-dir={self.profile}", "--virtual-time-budget=5000", "--window-size=412,915", *options,
             f"http://127.0.0.1:{self.proxy.admin_port}/"],
            capture_output=True, text=True, timeout=scaled(60), check=True)
        return done.stdout

    def text(self):
        return re.sub(r"<[^>]*>", " ", self.browse("--dump-dom").split("<script>")[0])

    def test_it_shows_the_servers_and_what_happened(self):
        with self.proxy.connect() as client:
            client.execute("SELECT 1")
            seen = self.text()
            self.assertIn("All is well", seen)
            for server in self.servers.servers():
                self.assertIn(f"127.0.0.1:{server.port}", seen)
            self.assertIn("Database connection established", seen)
            self.servers.primary.kill()
            self.proxy.wait_log("WARN No primary")
            self.assertIn("No primary: writes wait", self.text())
            wait_until(lambda: "connection refused" in self.text(), timeout=30, message="the last error is shown")
        if picture := os.environ.get("PGSTEER_SCREENSHOT"):
            self.browse(f"--screenshot={picture}")


if __name__ == "__main__":
    unittest.main()

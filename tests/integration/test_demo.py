"""The tour that deploy/demo gives: every step must hold, with the binary under test."""

import os
import subprocess
import unittest

from tests.support.proxy import BINARY, ROOT
from tests.support.waiting import scaled


class Demo(unittest.TestCase):
    def test_every_step_holds(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PGSTEER_")}
        done = subprocess.run(["/usr/bin/python3", f"{ROOT}/deploy/tour.py", BINARY, "--once"], capture_output=True, text=True,
                              env=environment, timeout=scaled(100), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Every step held", done.stdout)


if __name__ == "__main__":
    unittest.main()

"""What is handed to operators: the install tree, the .deb, the unit, images, examples and scripts."""

import configparser
import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import yaml

from tests.support.certificates import Authority
from tests.support.proxy import BINARY, ROOT

BUILD = os.path.dirname(BINARY)
DEPLOY = f"{ROOT}/deploy"
VERSION = re.search(r"project\(pgsteer VERSION ([\d.]+)", open(f"{ROOT}/CMakeLists.txt").read())[1]


def run(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, **kwargs)
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def check_config(config_text, variables=None):
    """pgsteer --check-config on a file with this text, with these variables alone."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(config_text)
        file.flush()
        run(BINARY, "--check-config", "--config", file.name, env={"PATH": os.environ["PATH"], **(variables or {})})


def variables_of(path):
    """The variables of an environment file, read as systemd and docker read it."""
    lines = (line for line in read(path).splitlines() if line.strip() and not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def scripts(kind):
    """The repository's executable scripts whose first line names `kind`."""
    found = []
    for folder in ("deploy", "deploy/debian", "tests", ".ci", "bench"):
        for entry in os.scandir(f"{ROOT}/{folder}") if os.path.isdir(f"{ROOT}/{folder}") else ():
            if entry.is_file() and os.access(entry.path, os.X_OK):
                with open(entry.path, "rb") as file:
                    if re.match(rb"#!.*" + kind, file.readline()):
                        found.append(entry.path)
    return found


@contextlib.contextmanager
def installed(prefix=None):
    """A directory that `cmake --install` filled: as its prefix, or staged for the prefix given."""
    with tempfile.TemporaryDirectory(prefix="pgsteer-install-") as directory:
        environment = {**os.environ, "DESTDIR": directory} if prefix else os.environ
        run("cmake", "--install", BUILD, "--prefix", prefix or directory, env=environment)
        yield directory


class Scripts(unittest.TestCase):
    def test_shell_scripts_parse(self):
        found = scripts(rb"\b(ba)?sh\b")
        self.assertGreaterEqual(len(found), 6)
        for path in found:
            run("bash", "-n", path)

    def test_wrong_arguments_are_refused(self):
        for script in ("deploy/demo", "deploy/install-dependencies", "tests/run"):
            done = subprocess.run([f"{ROOT}/{script}", "--no-such-thing"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, script)
            self.assertIn("no-such-thing", done.stderr)


class Configurations(unittest.TestCase):
    def test_environment_examples_are_accepted(self):
        examples = sorted(os.listdir(f"{DEPLOY}/env"))
        self.assertEqual(len(examples), 4)
        for name in examples:
            with self.subTest(name):
                variables = variables_of(f"{DEPLOY}/env/{name}")
                self.assertIn("DATABASE_REPLICA_URL", variables)
                check_config("", self._with_own_files(variables))

    @staticmethod
    def _with_own_files(variables):
        """The examples' certificates are not on this machine; the tests' own stand for them."""
        directory = tempfile.mkdtemp(prefix="pgsteer-certificates-")
        unittest.addModuleCleanup(shutil.rmtree, directory)
        authority = Authority(directory)
        certificate, key = authority.issue("server")
        own = {"server.crt": certificate, "server.key": key}
        return {name: re.sub(r"/etc/pgsteer/([\w.-]+)", lambda m: own.get(m[1], authority.certificate), value)
                for name, value in variables.items()}

    def test_sample_is_all_comments(self):
        self.assertIsNone(yaml.safe_load(read(f"{DEPLOY}/pgsteer.yaml")))
        check_config(read(f"{DEPLOY}/pgsteer.yaml"), variables_of(f"{DEPLOY}/env/basic.env"))

    def test_sample_uncommented_is_accepted(self):
        text = re.sub(r"^#(?=[a-z_]+:|  - )", "", read(f"{DEPLOY}/pgsteer.yaml"), flags=re.M)
        text = re.sub(r"^(tls.*|listen.*|users_file.*)$", "", text, flags=re.M)  # name files of another machine
        self.assertGreater(len(yaml.safe_load(text)), 15)
        check_config(text)

    def test_sample_shows_the_defaults(self):
        example = {"database_url", "database_replica_url", "listen", "tls", "tls_cert_file", "tls_key_file"}
        secrets = {"users_file"}  # shown as what it holds
        sample = dict(re.findall(r"^#([a-z_]+): *(.*)$", read(f"{DEPLOY}/pgsteer.yaml"), re.M))
        printed = yaml.safe_load(run(BINARY, "--print-config", env={"DATABASE_URL": "postgresql://app:x@db/shop"}))
        self.assertLessEqual(set(sample) - secrets, set(printed))
        for name in set(sample) - example - secrets:
            self.assertEqual(yaml.safe_load(sample[name]), printed[name], name)

    def test_service_variables_uncommented_are_accepted(self):
        text = re.sub(r"^#(?=[A-Z_]+=)", "", read(f"{DEPLOY}/pgsteer.env"), flags=re.M)
        check_config("", dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z_]+=", line)))


class Containers(unittest.TestCase):
    def test_image_copies_what_exists(self):
        text = read(f"{DEPLOY}/Containerfile")
        for source in re.findall(r"^COPY (\S+) ", text, re.M):
            self.assertTrue(os.path.exists(f"{ROOT}/{source}"), source)
        self.assertEqual(len(re.findall(r"^FROM ", text, re.M)), 2)
        self.assertRegex(text, r"(?m)^USER pgsteer$")

    def test_compose(self):
        services = yaml.safe_load(read(f"{DEPLOY}/docker-compose.yml"))["services"]
        self.assertEqual(set(services), {"primary", "replica", "pgsteer"})
        for name, service in services.items():
            self.assertIn("healthcheck", service, name)
            for needed in service.get("depends_on", {}):
                self.assertIn(needed, services)
        environment = services["pgsteer"]["environment"]
        check_config("", environment)
        self.assertIn("@primary:5432/", environment["DATABASE_URL"])
        self.assertIn("@replica:5432/", environment["DATABASE_REPLICA_URL"])
        self.assertTrue(os.path.exists(f"{DEPLOY}/{services['pgsteer']['build']['context']}/deploy/Containerfile"))

    def test_kubernetes_sidecar(self):
        secret, deployment = yaml.safe_load_all(read(f"{DEPLOY}/kubernetes/sidecar.yaml"))
        pod = deployment["spec"]["template"]["spec"]
        sidecar, = pod["initContainers"]
        self.assertEqual(sidecar["restartPolicy"], "Always")
        self.assertEqual(sidecar["startupProbe"]["httpGet"]["path"], "/readyz")
        self.assertEqual(sidecar["readinessProbe"]["httpGet"]["path"], "/readyz")
        self.assertEqual(sidecar["livenessProbe"]["httpGet"]["path"], "/livez")
        variables = {each["name"]: each["value"] for each in sidecar["env"]}
        check_config("", {**variables, **secret["stringData"]})
        drain = int(variables["PGSTEER_SHUTDOWN_TIMEOUT"].removesuffix("s"))
        self.assertGreater(pod["terminationGracePeriodSeconds"], drain)
        port = int(variables["PGSTEER_ADMIN_LISTEN"].rpartition(":")[2])
        self.assertEqual(sidecar["ports"], [{"name": "pgsteer-admin", "containerPort": port}])


class Unit(unittest.TestCase):
    def setUp(self):
        self.parsed = configparser.ConfigParser(strict=False, interpolation=None)
        self.parsed.optionxform = str
        self.parsed.read(f"{DEPLOY}/pgsteer.service")

    def test_says_what_it_must(self):
        service = self.parsed["Service"]
        self.assertEqual(service["Type"], "notify")
        self.assertEqual(service["User"], "pgsteer")
        self.assertEqual(service["EnvironmentFile"], "-/etc/pgsteer/pgsteer.env")
        self.assertEqual(service["ExecReload"], "/bin/kill -HUP $MAINPID")
        self.assertGreater(int(service["TimeoutStopSec"]), 30)
        self.assertEqual(service["NoNewPrivileges"], "yes")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd-analyze is not installed")
    def test_systemd_accepts_it(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/pgsteer.service"
            with open(path, "w") as unit:
                unit.write(read(f"{DEPLOY}/pgsteer.service").replace("/usr/bin/pgsteer", "/bin/true"))
            self.assertEqual(run("systemd-analyze", "verify", path), "")
            # 0 is a unit that may do nothing at all, 10 one that may do everything; above 2.0 this fails.
            run("systemd-analyze", "security", "--offline=true", "--threshold=20", path)


class InstallTree(unittest.TestCase):
    def test_binary_runs_from_where_it_was_installed(self):
        with installed() as directory:
            self.assertIn(VERSION, run(f"{directory}/bin/pgsteer", "--version", cwd="/"))

    def test_unit_names_the_installed_paths(self):
        with installed() as directory:
            unit = read(f"{directory}/lib/systemd/system/pgsteer.service")
            self.assertIn(f"ExecStart={directory}/bin/pgsteer --config {directory}/etc/pgsteer/pgsteer.yaml", unit)
            self.assertTrue(os.path.exists(f"{directory}/etc/pgsteer/pgsteer.yaml"))

    def test_edited_configuration_stays(self):
        with installed() as directory:
            path = f"{directory}/etc/pgsteer/pgsteer.yaml"
            with open(path, "w") as file:
                file.write("pool_size: 3\n")
            run("cmake", "--install", BUILD, "--prefix", directory)
            self.assertEqual(read(path), "pool_size: 3\n")

    def test_links_between_installed_documents_hold(self):
        with installed() as directory:
            documents = f"{directory}/share/doc/pgsteer"
            names = ["README.md"] + [f"docs/{n}" for n in os.listdir(f"{documents}/docs") if n.endswith(".md")]
            self.assertGreaterEqual(len(names), 5)
            for name in names:
                for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", read(f"{documents}/{name}")):
                    path = os.path.join(os.path.dirname(f"{documents}/{name}"), target)
                    self.assertTrue(os.path.exists(path), f"{name}: {target}")

    def test_prefix_usr_configures_in_etc(self):
        with installed("/usr") as directory:
            self.assertTrue(os.path.exists(f"{directory}/etc/pgsteer/pgsteer.env"))
            self.assertIn("ExecStart=/usr/bin/pgsteer --config /etc/pgsteer/pgsteer.yaml",
                          read(f"{directory}/usr/lib/systemd/system/pgsteer.service"))


class DebianPackage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="pgsteer-deb-")
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        run("cpack", "-G", "DEB", "--config", f"{BUILD}/CPackConfig.cmake", "-B", cls.directory)
        cls.path = f"{cls.directory}/pgsteer_{VERSION}_{run('dpkg', '--print-architecture').strip()}.deb"

    def field(self, name):
        return run("dpkg-deb", "--field", self.path, name).strip()

    def test_depends_on_the_libraries_it_links(self):
        depends = {re.split(r"[ (]", each.strip())[0] for each in self.field("Depends").split(",")}
        self.assertLessEqual({"adduser", "libc6", "libpq5", "libssl3", "libfmt9", "libyaml-cpp0.7"}, depends)

    def test_contents(self):
        listed = {}
        for line in run("dpkg-deb", "--contents", self.path).splitlines():
            mode, owner, _, _, _, path = line.split(maxsplit=5)
            listed[path] = (mode, owner)
        for path, mode in (("./usr/bin/pgsteer", "-rwxr-xr-x"), ("./etc/pgsteer/pgsteer.env", "-rw-r-----"),
                           ("./etc/pgsteer/pgsteer.yaml", "-rw-r-----"),
                           ("./usr/lib/systemd/system/pgsteer.service", "-rw-r--r--"),
                           ("./usr/share/doc/pgsteer/copyright", "-rw-r--r--"),
                           ("./usr/share/doc/pgsteer/docs/deployment.md", "-rw-r--r--")):
            self.assertEqual(listed.get(path), (mode, "root/root"), path)
        self.assertFalse([path for path in listed if path.startswith("./usr/include")])

    def test_operators_files_are_conffiles(self):
        with tempfile.TemporaryDirectory() as directory:
            run("dpkg-deb", "--control", self.path, directory)
            conffiles = read(f"{directory}/conffiles").split()
            self.assertEqual(conffiles, ["/etc/pgsteer/pgsteer.yaml", "/etc/pgsteer/pgsteer.env"])
            for script in ("postinst", "prerm", "postrm"):
                self.assertTrue(os.access(f"{directory}/{script}", os.X_OK), script)
                run("sh", "-n", f"{directory}/{script}")

    def test_unpacked_binary_runs(self):
        with tempfile.TemporaryDirectory() as directory:
            run("dpkg-deb", "--extract", self.path, directory)
            self.assertIn(VERSION, run(f"{directory}/usr/bin/pgsteer", "--version"))


if __name__ == "__main__":
    unittest.main()

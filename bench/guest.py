"""A small machine, emulated, whose clock counts instructions: runs a script with the host's programs. Used by bench/emulated."""
import os
import pathlib
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = HERE / ".cache"
MODULES = ("virtio_pci", "9pnet_virtio", "9p")
# A clock of 1 ns an instruction, which leaps where all processes wait. Without erms and fsrm kernel and libc copy by
# moves: each round of a `rep movs` counts as an instruction here, which processors do not do, so that what is copied
# by the byte would cost eight times what it does by the word.
MACHINE = ["-M", "pc", "-cpu", "max,-erms,-fsrm", "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-m", "6144", "-smp", "1",
           "-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]
BOOT = "console=ttyS0 quiet loglevel=4 panic=-1 tsc=reliable clocksource=tsc mitigations=off nokaslr audit=0"


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def kernel():
    """The folder of Debian's kernel package, unpacked; fetched at the first use."""
    found = sorted(CACHE.glob("linux-image-*/boot/vmlinuz-*"))
    if found:
        return found[-1].parent.parent
    package = re.search(r"Depends: (linux-image-\S+)", run("apt-cache", "depends", "linux-image-amd64"))
    if not package:
        sys.exit("bench/emulated: apt knows no linux-image-amd64; run apt-get update")
    print(f"Fetching Debian's {package[1]}", flush=True)
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        # apt as root would fetch as another user, who may not write into the folder.
        run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package[1], cwd=folder)
        unpacked = pathlib.Path(folder) / "unpacked"
        run("dpkg-deb", "--extract", next(pathlib.Path(folder).glob("*.deb")), unpacked)
        shutil.move(unpacked, CACHE / package[1])
    return CACHE / package[1]


def version_of(folder):
    return next(folder.glob("boot/vmlinuz-*")).name.removeprefix("vmlinuz-")


def make_initramfs(folder, file):
    """Busybox, the modules in the order in which they load, and bench/guest/init."""
    version = version_of(folder)
    with tempfile.TemporaryDirectory() as made:
        tree = pathlib.Path(made)
        (tree / "bin").mkdir()
        (tree / "modules").mkdir()
        shutil.copy(shutil.which("busybox", path="/bin:/usr/bin"), tree / "bin/busybox")
        shutil.copy(HERE / "guest/init", tree / "init")
        run("depmod", "-b", folder, version)
        shown = run("modprobe", "--show-depends", "--ignore-install", "-C", "/dev/null", "-d", folder, "-S", version, "-a", *MODULES)
        order = [pathlib.Path(line.split()[1]) for line in dict.fromkeys(shown.splitlines()) if line.startswith("insmod")]
        for module in order:
            shutil.copy(module, tree / "modules")
        (tree / "modules/order").write_text("".join(f"{m.name}\n" for m in order))
        names = "\n".join(str(p.relative_to(tree)) for p in tree.rglob("*"))
        with open(file, "wb") as archive:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=names.encode(), stdout=archive, cwd=tree, check=True)


def command(folder, initramfs, share):
    """QEMU's command line. The host's files are the guest's root, not to be written to; share is both sides'."""
    root = "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap"
    return ["qemu-system-x86_64", *MACHINE, "-kernel", folder / "boot" / f"vmlinuz-{version_of(folder)}", "-initrd", initramfs, "-append", BOOT,
            "-virtfs", root, "-virtfs", f"local,path={share},mount_tag=share,security_model=none"]


def boot(share, seconds):
    """Runs share/start in a guest and shows what it prints. The status it ended with; None where that took too long."""
    folder = kernel()
    initramfs = pathlib.Path(share) / "initramfs"
    make_initramfs(folder, initramfs)
    deadline = time.monotonic() + seconds
    machine = subprocess.Popen([str(c) for c in command(folder, initramfs, share)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        follow(machine.stdout, deadline)
    finally:
        machine.kill()
        machine.wait()
    status = pathlib.Path(share) / "status"
    return int(status.read_text()) if status.exists() else None


def follow(stream, deadline):
    """Prints what comes from the stream until it ends, or the time is over."""
    selector = selectors.DefaultSelector()
    selector.register(stream, selectors.EVENT_READ)
    while selector.select(max(0, deadline - time.monotonic())):
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        sys.stdout.write(data.decode(errors="replace").replace("\r", ""))
        sys.stdout.flush()

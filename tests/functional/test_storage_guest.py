"""Storage drivers that this host's kernel may lack, or have otherwise: their conformance suite in a virtual machine with the
kernel of Debian 12. There is a device mapper there, and erofs takes loop devices."""

import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "util"))
import guest
from berth_testing import main
from engine import BIN

SUITE = BIN / "image_root_test"
MODULES = guest.KERNEL.parent / "storage-modules"
PROGRAMS = [shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin") for name in ("mkfs.ext4", "tar", "dash")]

# The shell of busybox would take its own tar. A tmpfs of this kernel has no attributes of users.
SCRIPT = """
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
cp -a /files/host/* /
ln -sf /usr/bin/dash /bin/sh
for module in /files/modules/*; do insmod $module; done
mkdir -p /tmp /memory
mount -t tmpfs -o size=90% tmpfs /memory
truncate -s 3G /memory/volume
mkfs.ext4 -q -b 4096 /memory/volume
mount -o loop /memory/volume /tmp
/files/suite --gtest_color=no --gtest_filter='FILTER' 2>&1
"""


@unittest.skipIf(guest.missing(), guest.missing())
@unittest.skipUnless(SUITE.exists(), f"{SUITE} is not built")
@unittest.skipUnless(MODULES.exists(), f"{MODULES} is not there (tools/guest_kernel brings it)")
@unittest.skipUnless(all(PROGRAMS), "mkfs.ext4, tar or dash is not installed")
class Storage(unittest.TestCase):
    def passes(self, tests: str) -> None:
        with tempfile.TemporaryDirectory() as directory:
            host = Path(directory)
            guest.put_programs(host, *PROGRAMS)
            guest.put_libraries(host, str(SUITE))
            said = guest.run(SCRIPT.replace("FILTER", tests), {"host": host, "modules": MODULES, "suite": SUITE})
        self.assertRegex(said, r"\[  PASSED  \] [1-9]\d* tests\.", said[-5000:])
        self.assertNotIn("FAILED", said, said[-5000:])
        self.assertNotIn("SKIPPED", said, said[-5000:])
        self.assertEqual(re.findall(r"berth-test-\w+", said.rsplit("PASSED", 1)[1]), [])

    def test_devicemapper_snapshots(self):
        self.passes("Drivers/SnapshotterSuite.*/devicemapper:Devicemapper*")

    def test_erofs_by_way_of_loop_devices(self):
        self.passes("Drivers/SnapshotterSuite.*/erofs:ErofsSnapshotterTest.*-*AnImagesWorth*:*FullDisk*")


if __name__ == "__main__":
    main()

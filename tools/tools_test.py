#!/usr/bin/env python3
"""Each check of the tree finds what it is for, and is content with what is right."""

import json
import shutil
import tempfile
import unittest
from pathlib import Path

import check_headers
import check_layers
import check_packaging
import check_sizes
import check_syscalls
import check_text

MODULES = """
berth_module(base LEVEL 0 LIBS fmt)
berth_module(sys LEVEL 1 USES base)  # berth_module(ghost LEVEL 9)
berth_module(image LEVEL 2
             USES base sys LIBS archive)
berth_module(network LEVEL 2 USES base)
berth_module(engine LEVEL 3 USES image network)
"""


class TreeTest(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.write("src/CMakeLists.txt", MODULES)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def layers(self) -> list[str]:
        return check_layers.find(self.root)[0]


class Layers(TreeTest):
    def setUp(self):
        super().setUp()
        for name in ("base/a.h", "sys/a.h", "image/a.h", "network/a.h", "engine/a.h"):
            self.write("src/" + name, "#pragma once\n")

    def test_downward_and_own_includes_pass(self):
        self.write("src/engine/b.cc", '#include "engine/a.h"\n#include "image/a.h"\n#include "sys/a.h"\n')
        self.write("apps/berth/main.cc", '#include "engine/a.h"\n#include "berth/flags.h"\n')
        self.assertEqual(self.layers(), [])

    def test_an_upward_include_fails(self):
        self.write("src/sys/b.cc", '#include "engine/a.h"\n')
        self.assertIn("upwards", self.layers()[0])

    def test_rooms_of_one_level_never_include_one_another(self):
        self.write("src/image/b.cc", '#include "network/a.h"\n')
        self.assertIn("sideways", self.layers()[0])

    def test_a_module_that_is_not_in_uses_fails(self):
        self.write("src/network/b.cc", '#include "sys/a.h"\n')
        self.assertIn("not in its USES", self.layers()[0])

    def test_a_path_without_a_module_fails(self):
        self.write("src/engine/b.cc", '#include "a.h"\n')
        self.assertIn('of the form "module/..."', self.layers()[0])

    def test_a_folder_that_is_no_module_fails(self):
        self.write("src/ghost/b.cc", "\n")
        self.assertIn("ghost is not declared", self.layers()[0])

    def test_an_upward_use_in_the_declaration_fails(self):
        self.write("src/CMakeLists.txt", MODULES.replace("sys LEVEL 1 USES base", "sys LEVEL 1 USES engine"))
        self.assertIn("uses engine, which is not below it", self.layers()[0])

    def test_a_program_does_not_include_another_program(self):
        self.write("apps/berthd/main.cc", "\n")
        self.write("apps/berth/main.cc", '#include "berthd/main.h"\n')
        self.assertIn("neither of a module nor of this program", self.layers()[0])


class Headers(TreeTest):
    def test_a_header_that_needs_another_first_fails(self):
        self.write("src/base/good.h", "#pragma once\n#include <string>\nstd::string good();\n")
        self.write("src/base/bad.h", "#pragma once\nstd::string bad();\n")
        unit = self.root / "src/base/good.cc"
        database = self.root / "compile_commands.json"
        database.write_text(json.dumps([{"file": str(unit), "directory": str(self.root),
                                         "command": f"/usr/bin/g++-12 -std=gnu++23 -o x.o -c {unit}"}]))
        findings, count = check_headers.find(self.root, database, 2)
        self.assertEqual(count, 2)
        self.assertEqual(len(findings), 1)
        self.assertTrue(findings[0].startswith("src/base/bad.h: does not compile alone"))


class Sizes(TreeTest):
    def test_a_long_file_fails_and_a_long_table_does_not(self):
        self.write("src/base/long.cc", "\n" * (check_sizes.MAX_LINES + 1))
        self.write("src/base/opcode_table.cc", "\n" * (check_sizes.MAX_LINES + 1))
        self.write("src/base/full.cc", "\n" * check_sizes.MAX_LINES)
        findings, _ = check_sizes.find(self.root)
        self.assertEqual(len(findings), 1)
        self.assertTrue(findings[0].startswith("src/base/long.cc: 801 lines"))


class Syscalls(unittest.TestCase):
    TABLE = check_syscalls.parse_table('{"read", 0, 3, 0},\n{"ahead", 999, 999, 999},\n{"ioctl", 16, 54, 514},\n')

    def test_a_table_that_has_the_headers_calls_and_more_passes(self):
        self.assertEqual(check_syscalls.compare(self.TABLE, 1, {"read": 3, "ioctl": 54}), [])
        header = "#define __NR_read (__X32_SYSCALL_BIT + 0)\n#define __NR_ioctl (__X32_SYSCALL_BIT + 514)\n"
        self.assertEqual(check_syscalls.compare(self.TABLE, 2, check_syscalls.parse_header(header)), [])

    def test_a_wrong_number_and_a_missing_call_fail(self):
        calls = check_syscalls.parse_header("#define __NR_read 1\n#define __NR_new 2\n#define __NR_ioctl 16\n")
        self.assertEqual([finding.split(": ")[1] for finding in check_syscalls.compare(self.TABLE, 0, calls)],
                         ["read is 1 of 64, not 0", "new is 2 of 64, not -1"])


class Text(TreeTest):
    def assert_found(self, text: str, what: str):
        self.write("src/base/x.cc", text)
        findings, _ = check_text.find(self.root)
        self.assertEqual(len(findings), 1, findings)
        self.assertIn(what, findings[0])

    def test_tidy_text_passes(self):
        self.write("src/base/x.cc", "// the network/workload of /home/user, and issue tracking\nint work;\n")
        self.assertEqual(check_text.find(self.root)[0], [])

    def test_each_rule_finds_its_own(self):
        self.assert_found("// see /wor" "k/somewhere\n", "a path of one machine")
        self.assert_found("// TOD" "O: later\n", "a note to oneself")
        self.assert_found("// good enough for no" "w\n", "a promise instead of code")
        self.assert_found("// closes issu" "e #12\n", "a reference to a task")
        self.assert_found("int x; \n", "white space")
        self.assert_found("int\tx;\n", "a tab")
        self.assert_found("int x;", "no newline")

    def test_bytes_that_are_not_text_fail(self):
        (self.root / "src/base/x.cc").parent.mkdir(parents=True, exist_ok=True)
        (self.root / "src/base/x.cc").write_bytes(b"\xff\xfe\n")
        self.assertIn("not UTF-8", check_text.find(self.root)[0][0])


HELP = """Usage:  berth [OPTIONS] COMMAND

Commands:
  run         Run it

Management Commands:
  container   Manage containers

Global Options:
  -v, --version   Print the version
"""
RUN_HELP = """Usage:  berth run [OPTIONS]

Options:
  -d, --detach        In the background
      --pull string   Ask for the image (default
                      "missing")
"""
GROUP_HELP = """Usage:  berth container COMMAND

Commands:
  run         Run it
"""
PAGE = """.Sh DESCRIPTION
.Bl -tag
.It Fl v , Fl Fl version
print the version
.El
.Sh COMMANDS
.Ss run
.Bl -tag
.It Fl d , Fl Fl detach
in the background
.It Fl Fl pull Ar when
ask for the image; default
.Cm missing
.El
.Sh GROUPS
.Bl -tag
.It Cm container
.Cm run
.El
"""
COMMANDS = {(): check_packaging.parse_help(HELP), ("run",): check_packaging.parse_help(RUN_HELP),
            ("container",): check_packaging.parse_help(GROUP_HELP),
            ("container", "run"): check_packaging.parse_help(RUN_HELP)}


class Packaging(TreeTest):
    def assert_page(self, page: str, *findings: str):
        self.assertEqual(check_packaging.check_berth(page, COMMANDS), [f"berth.1: {finding}" for finding in findings])

    def test_a_page_that_says_everything_passes(self):
        self.assert_page(PAGE)

    def test_what_a_page_lacks_is_found(self):
        self.assert_page(PAGE.replace("Fl d , Fl Fl detach", "Cm x"), "run has --detach, which is missing")
        self.assert_page(PAGE.replace("Fl v , Fl Fl version", "Cm x"), "berth has --version, which is missing")
        self.assert_page(PAGE.replace("Fl d , ", ""), "--detach of run is also -d")
        self.assert_page(PAGE.replace(".Cm missing", "none"), "--pull of run does not name its default, missing")
        self.assert_page(PAGE.replace(".Cm run", ".Cm start"), "the group container does not name run")

    def test_what_a_page_has_too_much_is_found(self):
        self.assert_page(PAGE + ".Fl Fl ghost\n", "--ghost is no flag")
        self.assert_page(PAGE.replace(".It Fl d ,", ".It Fl Fl version\n.It Fl d ,"), "--version is no flag of run")

    def test_a_default_of_the_daemon_is_found(self):
        flags = check_packaging.parse_cli11_help(
            "Options:\n  -h,--help                   Print\n  --run TEXT=/run/berth       Where\n"
            "  --host TEXT ...             Where to answer [unix:///x]\n  --level UINT:INT in [0 - 64]=4\n"
            "                              How many\n  --teardown                  End\n")
        self.assertEqual({name: flag.default for name, flag in flags.items()},
                         {"help": "", "run": "/run/berth", "host": "unix:///x", "level": "4", "teardown": ""})
        page = ".Sh SYNOPSIS\n.Op Fl Fl run Ar x\n.Sh DESCRIPTION\n.It Fl Fl run Ar x\ndefault /run/other\n"
        self.assertEqual(check_packaging.check_berthd(page, {"run": flags["run"]}),
                         ["berthd.8: --run of berthd does not name its default, /run/berth"])

    def test_flags_of_the_runtime_are_those_its_sources_declare(self):
        self.write("apps/berth-runtime/main.cc", 'flags.add("root", 0, &root);\n')
        self.write("apps/berth-runtime/launch.cc", """flags.add("bundle", 'b', &options.bundle);\n""")
        self.write("apps/berth-runtime/run.cc", "  add_launch_flags(flags, options);\n")
        declared = check_packaging.runtime_flags(self.root)
        page = ".Sh DESCRIPTION\n.It Fl Fl root Ar x\n.Sh VERBS\n.Ss run\n.It Fl b , Fl Fl bundle Ar x\n"
        summary = "usage: berth-runtime [--root DIR] VERB\n  run [-b DIR] ID\n"
        self.assertEqual(check_packaging.check_runtime(page, declared, summary), [])
        self.assertEqual(check_packaging.check_runtime(page.replace("Fl b , Fl Fl bundle", "Cm x"), declared, summary),
                         ["berth-runtime.1: run has --bundle, which is missing"])
        self.assertEqual(check_packaging.check_runtime(page, declared, summary + "  kill [--all] ID\n"),
                         ["berth-runtime.1: kill has no section", "berth-runtime --help: --all is no flag"])

    def test_the_runtimes_help_has_the_flags_that_are_declared(self):
        declared = {"bundle": check_packaging.Flag("b"), "keep": check_packaging.Flag()}
        text = "usage: berth-runtime run\n  -b, --bundle DIR   where\n      --keep         no\n"
        self.assertEqual(check_packaging.check_runtime_help("run", declared, text), [])
        del declared["keep"]
        declared["bundle"] = check_packaging.Flag()
        self.assertEqual(check_packaging.check_runtime_help("run", declared, text),
                         ["berth-runtime run --help: --bundle is missing, or has another letter",
                          "berth-runtime run --help: --keep is no flag"])

    def test_a_completion_that_does_not_offer_a_word_fails(self):
        self.write("bin/berth", "")
        self.write("berth.bash", "_berth() { COMPREPLY=(run container --version --detach); }\n")
        findings = check_packaging.check_completion(["bash", "-c", check_packaging.BASH], self.root / "berth.bash",
                                                    self.root / "bin/berth", COMMANDS)
        self.assertEqual(findings, ["berth.bash: berth run does not offer --pull",
                                    "berth.bash: berth container run does not offer --pull"])


if __name__ == "__main__":
    unittest.main()

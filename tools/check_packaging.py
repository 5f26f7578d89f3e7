#!/usr/bin/env python3
"""check_packaging.py --bin DIR [ROOT]: manual pages and shell completions name what the programs have.

What a program has is what its --help says. Of berth-runtime it is what its sources declare, and its --help is checked.
Completions are asked, not read. zsh and groff take part where they are installed.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import tree

MAN = Path("packaging/man")


@dataclass(frozen=True)
class Flag:
    letter: str = ""
    default: str = ""


Flags = dict[str, Flag]  # by name, without dashes


@dataclass
class Help:
    """One command as its --help describes it: the commands below it, and its flags."""
    commands: list[str] = field(default_factory=list)
    flags: Flags = field(default_factory=dict)


def parse_help(text: str) -> Help:
    """--help of berth: "Commands:" and "Options:" end a heading; what is wrapped stands further in than a flag."""
    found, described = Help(), {}
    listed = ""
    for line in text.split("\n"):
        if line.endswith(("Commands:", "Options:")):
            listed = line.rsplit(" ", 1)[-1]
        elif not line:
            listed = ""
        elif listed == "Commands:":
            found.commands.append(line.split()[0])
        elif flag := re.match(r"(?:  -., |      )--([a-z0-9-]+)", line):
            last = flag[1]
            described[last] = line
        elif listed:
            described[last] += " " + line.strip()
    for name, line in described.items():
        letter = re.match(r"  -(.), ", line)
        default = re.search(r'\(default "?([^" )]+)"?\)', line)
        found.flags[name] = Flag(letter[1] if letter else "", default[1] if default else "")
    return found


def parse_cli11_help(text: str) -> Flags:
    """--help of berthd: "--run TEXT=/run/berth", or the default in brackets at the end where it is no sentence."""
    flags = {}
    for line in text.replace("\n                 ", " ").split("\n"):
        if flag := re.match(r"  (?:-(.),)?--([a-z-]+)(?: [A-Z]+[^=]*?(?:=(\S+))?(?=  |$))?", line):
            bracketed = re.search(r"\[(\S+)\]$", line)
            flags[flag[2]] = Flag(flag[1] or "", flag[3] or (bracketed[1] if bracketed else ""))
    return flags


def runtime_flags(root: Path) -> dict[str, Flags]:
    """Of each verb of berth-runtime, and of "" what stands before the verb."""
    declared, shared = {}, {}
    for source in sorted((root / "apps/berth-runtime").glob("*.cc")):
        text = source.read_text(encoding="utf-8")
        rows = re.findall(r"""flags\.add\("([a-z0-9-]+)", (?:0|'(.)')""", text)
        declared[source.stem] = {name: Flag(letter) for name, letter in rows}
        shared[source.stem] = re.findall(r"(?m)^  add_(launch|handover|criu)_flags\(", text)
    for verb in sorted(declared, key=lambda verb: verb != "launch"):  # first launch itself
        for name in shared[verb]:
            declared[verb] |= declared.get(name, {})
    declared[""] = declared.pop("main")
    for name in ("launch", "handover", "criu"):
        declared.pop(name, None)
    return declared


@dataclass
class Page:
    """A manual page of mdoc(7): what is said of each flag, and where."""
    sections: dict[str, dict[str, str]] = field(default_factory=dict)  # title of .Ss, "" before -> flag -> its text
    groups: dict[str, str] = field(default_factory=dict)  # ".It Cm name" -> its text
    mentioned: set[str] = field(default_factory=set)
    synopsis: set[str] = field(default_factory=set)

    def of(self, verb: str) -> dict[str, str]:
        """The flags in the sections whose title has the verb: "run", "create and run: network"."""
        found = {}
        for title, flags in self.sections.items():
            if verb in title.split(":")[0].split() or verb == title:
                found |= flags
        return found


def parse_page(text: str) -> Page:
    page = Page()
    title, heading, names, group = "", "", [], ""
    for line in text.split("\n"):
        flags = re.findall(r"\bFl Fl ([a-z0-9-]+)", line) if line.startswith(".") else []
        page.mentioned.update(flags)
        if heading == "SYNOPSIS":
            page.synopsis.update(flags)
        if line.startswith((".Sh ", ".Ss ")):
            title = line[4:] if line.startswith(".Ss ") else ""
            heading = heading if title else line[4:]
            page.sections.setdefault(title, {})
            names, group = [], ""
        elif line.startswith(".It "):
            names = flags
            group = line[7:] if line.startswith(".It Cm ") else ""
            if group:
                page.groups[group] = ""
            for name in names:
                page.sections[title][name] = line
        elif line.startswith(".El"):
            names, group = [], ""
        else:
            if group:
                page.groups[group] += " " + line
            for name in names:
                page.sections[title][name] += " " + line
    return page


def compare(page: str, command: str, has: Flags, said: dict[str, str]) -> list[str]:
    """What of the flags it `has` is not `said` in the page."""
    findings = []
    for name, flag in has.items():
        if name not in said:
            findings.append(f"{page}: {command} has --{name}, which is missing")
        elif flag.letter and f"Fl {flag.letter} , Fl Fl {name}" not in said[name]:
            findings.append(f"{page}: --{name} of {command} is also -{flag.letter}")
        elif flag.default not in said[name]:
            findings.append(f"{page}: --{name} of {command} does not name its default, {flag.default}")
    return findings


def surplus(page: str, parsed: Page, has: set[str]) -> list[str]:
    return [f"{page}: --{name} is no flag" for name in sorted(parsed.mentioned - has - {"help"})]


def output(program: Path, *arguments: str) -> str:
    return subprocess.run([str(program), *arguments, "--help"], capture_output=True, text=True, check=True).stdout


def read_berth(program: Path) -> dict[tuple[str, ...], Help]:
    """Every command by its words: (), ("run",), ("container", "run"), ..."""
    commands = {(): parse_help(output(program))}
    for path in [(name,) for name in commands[()].commands]:
        commands[path] = parse_help(output(program, *path))
        for name in commands[path].commands:
            commands[*path, name] = parse_help(output(program, *path, name))
    return commands


def check_berth(text: str, commands: dict[tuple[str, ...], Help]) -> list[str]:
    name, page = "berth.1", parse_page(text)
    findings, known = compare(name, "berth", commands[()].flags, page.sections.get("", {})), set(commands[()].flags)
    for path, described in commands.items():
        known |= set(described.flags)
        if len(path) == 1 and described.commands:
            said = re.findall(r"[a-z]+", page.groups.get(path[0], ""))
            findings += [f"{name}: the group {path[0]} does not name {command}"
                         for command in described.commands if command not in said]
        elif len(path) == 1:
            if not any(path[0] in title.split(":")[0].split() for title in page.sections):
                findings.append(f"{name}: {path[0]} has no section")
            findings += compare(name, path[0], described.flags, page.of(path[0]))
            findings += [f"{name}: --{flag} is no flag of {path[0]}"
                         for flag in page.sections.get(path[0], {}) if flag not in described.flags]
    return findings + surplus(name, page, known)


def check_berthd(text: str, flags: Flags) -> list[str]:
    name, page = "berthd.8", parse_page(text)
    return (compare(name, "berthd", flags, page.sections.get("", {})) + surplus(name, page, set(flags)) +
            [f"{name}: the synopsis lacks --{flag}" for flag in flags if flag not in page.synopsis])


def check_runtime_help(verb: str, declared: Flags, text: str) -> list[str]:
    """A table of its own (help.cc) says what each flag is for: it has the flags that are declared, and no others."""
    lines = re.findall(r"^  (?:-(.),|   ) --([a-z0-9-]+) ", text, re.MULTILINE)
    said = {name: Flag(letter) for letter, name in lines}
    who = f"berth-runtime {verb} --help".replace("  ", " ")
    return ([f"{who}: --{name} is missing, or has another letter" for name in declared if said.get(name) != declared[name]] +
            [f"{who}: --{name} is no flag" for name in said if name not in declared])


def check_runtime(text: str, declared: dict[str, Flags], summary: str) -> list[str]:
    name, page = "berth-runtime.1", parse_page(text)
    known = {flag for flags in declared.values() for flag in flags}
    findings = surplus(name, page, known)
    for verb in [""] + re.findall(r"^  ([a-z]+) ", summary, re.MULTILINE):
        findings += compare(name, verb or "berth-runtime", declared.get(verb, {}), page.of(verb))
        if verb not in page.sections:
            findings.append(f"{name}: {verb} has no section")
    for flag in sorted(set(re.findall(r"--([a-z-]+)", summary)) - known):
        findings.append(f"berth-runtime --help: --{flag} is no flag")
    return findings


BASH = r"""
source "$0"; COMP_LINE="berth $*" COMP_POINT=${#COMP_LINE}; _berth; printf '%s\n' "${COMPREPLY[@]}"
"""
# The functions of zsh's completion system, which exist only while it completes, print what they are given.
ZSH = r"""
_describe() { [[ $1 == -o ]] && shift; print -l -- ${${(P)2}%%:*} }
compadd() { true }; _files() { true }
words=(berth "$@"); CURRENT=$#words; set --; source "$0"
"""


def candidates(shell: list[str], script: Path, program: Path, words: tuple[str, ...]) -> set[str]:
    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run([*shell, str(script), *words], env=environment, capture_output=True, text=True, check=False)
    return set(done.stdout.split())


def check_completion(shell: list[str], script: Path, program: Path,
                     commands: dict[tuple[str, ...], Help]) -> list[str]:
    findings = []
    for path, described in commands.items():
        offered = candidates(shell, script, program, (*path, "--"))
        missing = [f"--{flag}" for flag in described.flags if f"--{flag}" not in offered]
        if described.commands:
            offered = candidates(shell, script, program, (*path, ""))
            missing += [command for command in described.commands if command not in offered]
        findings += [f"{script.name}: berth {' '.join(path)} does not offer {word}" for word in missing]
    return findings


def check_source(page: Path) -> list[str]:
    done = subprocess.run(["groff", "-mdoc", "-ww", "-z", str(page)], capture_output=True, text=True, check=False)
    return done.stderr.splitlines()


def find(root: Path, bin_dir: Path) -> tuple[list[str], int]:
    pages = {page.name: page.read_text(encoding="utf-8") for page in (root / MAN).iterdir()}
    berth, completions = bin_dir / "berth", root / "packaging/completions"
    commands = read_berth(berth)
    daemon = parse_cli11_help(output(bin_dir / "berthd"))
    findings = check_berth(pages["berth.1"], commands)
    if daemon["host"].default not in pages["berth.1"]:
        findings.append(f"berth.1: the socket that berthd has by default, {daemon['host'].default}, is missing")
    findings += check_berthd(pages["berthd.8"], daemon)
    runtime, declared = bin_dir / "berth-runtime", runtime_flags(root)
    summary = output(runtime)
    findings += check_runtime(pages["berth-runtime.1"], declared, summary)
    for verb in [""] + re.findall(r"^  ([a-z]+) ", summary, re.MULTILINE):
        findings += check_runtime_help(verb, declared.get(verb, {}), output(runtime, *verb.split()))
    findings += surplus("berth-holder.8", parse_page(pages["berth-holder.8"]), set())
    findings += check_completion(["bash", "-c", BASH], completions / "berth.bash", berth, commands)
    if shutil.which("zsh"):
        findings += check_completion(["zsh", "-f", "-c", ZSH], completions / "_berth", berth, commands)
    else:
        print("zsh is not installed: _berth was not asked")
    if shutil.which("groff"):
        findings += [finding for name in sorted(pages) for finding in check_source(root / MAN / name)]
    else:
        print("groff is not installed: the pages were not formatted")
    return findings, len(pages) + 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=tree.ROOT)
    parser.add_argument("--bin", type=Path, required=True, help="where the programs are")
    options = parser.parse_args()
    findings, count = find(options.root.resolve(), options.bin.resolve())
    sys.exit(tree.report("check_packaging", findings, count))


if __name__ == "__main__":
    main()

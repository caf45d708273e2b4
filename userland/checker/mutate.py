#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Plant a mistake of mutations.toml into copies of the protocol's sources.

    mutate.py --list MUTATIONS                  print "name;option;option" lines
    mutate.py MUTATIONS NAME SOURCE... OUTDIR   write the copies to OUTDIR

Fails if a piece of text that is to be replaced does not occur exactly once.
"""
import pathlib
import sys
import tomllib


def load(path):
    with open(path, "rb") as file:
        return {m["name"]: m for m in tomllib.load(file)["mutation"]}


def replacements(mutation):
    if "file" in mutation:
        return [mutation]
    return mutation.get("replace", [])


def mutate(mutation, sources, outdir):
    texts = {path.name: path.read_text() for path in map(pathlib.Path, sources)}
    for change in replacements(mutation):
        name = change["file"]
        count = texts[name].count(change["old"])
        if count != 1:
            sys.exit(f"{mutation['name']}: {name}: the text occurs {count} times:\n{change['old']}")
        texts[name] = texts[name].replace(change["old"], change["new"])
    outdir = pathlib.Path(outdir)
    outdir.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (outdir / name).write_text(text)


def main(args):
    if len(args) == 2 and args[0] == "--list":
        for name, mutation in load(args[1]).items():
            print(";".join([name, *mutation.get("args", [])]))
    elif len(args) >= 4:
        mutate(load(args[0])[args[1]], args[2:-1], args[-1])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

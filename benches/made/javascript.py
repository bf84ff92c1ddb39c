"""npm, Yarn, pnpm, bun and Deno."""

import json

from . import SHA1, SHA512, made

INTEGRITY = f"sha512-{SHA512}"


def archive(graph, name):
    return f"https://registry.invalid/{name}/-/{name}-{graph.versions[name]}.tgz"


@made("npm-lock", "package-lock.json", "v3")
def npm_lock(graph):
    entries = {"": {"name": "root", "version": "1.0.0", "dependencies": {name: "*" for name in graph.top}}}
    for name in graph.names:
        entries[f"node_modules/{name}"] = {"version": graph.versions[name], "resolved": archive(graph, name), "integrity": INTEGRITY,
                                           "dependencies": {other: f"^{graph.versions[other]}" for other in graph.below[name]}}
    return json.dumps({"name": "root", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": entries}, indent=2)


@made("npm-lock", "package-lock.json", "v1")
def npm_lock_1(graph):
    entries = {name: {"version": graph.versions[name], "resolved": archive(graph, name), "integrity": INTEGRITY,
                      "requires": {other: f"^{graph.versions[other]}" for other in graph.below[name]}} for name in graph.names}
    return json.dumps({"name": "root", "version": "1.0.0", "lockfileVersion": 1, "requires": True, "dependencies": entries}, indent=2)


@made("yarn-lock", "yarn.lock", "v1")
def yarn_lock_1(graph):
    text = ["# yarn lockfile v1", "", ""]
    for name in graph.names:
        text += [f"{name}@^{graph.versions[name]}:", f'  version "{graph.versions[name]}"', f'  resolved "{archive(graph, name)}#{SHA1}"', f"  integrity {INTEGRITY}"]
        if graph.below[name]:
            text += ["  dependencies:", *(f'    {other} "^{graph.versions[other]}"' for other in graph.below[name])]
        text.append("")
    return "\n".join(text)


@made("yarn-lock", "yarn.lock", "v8")
def yarn_lock_8(graph):
    text = ["__metadata:", "  version: 8", "  cacheKey: 10c0", ""]
    for name in graph.names:
        version = graph.versions[name]
        text += [f'"{name}@npm:^{version}":', f"  version: {version}", f'  resolution: "{name}@npm:{version}"']
        if graph.below[name]:
            text += ["  dependencies:", *(f'    {other}: "npm:^{graph.versions[other]}"' for other in graph.below[name])]
        text += [f"  checksum: 10c0/{'0' * 128}", "  languageName: node", "  linkType: hard", ""]
    text += ['"root@workspace:.":', "  version: 0.0.0-use.local", '  resolution: "root@workspace:."', "  dependencies:",
             *(f'    {name}: "npm:^{graph.versions[name]}"' for name in graph.top), "  languageName: unknown", "  linkType: soft", ""]
    return "\n".join(text)


@made("pnpm-lock", "pnpm-lock.yaml", "v9")
def pnpm_lock(graph):
    text = ["lockfileVersion: '9.0'", "", "settings:", "  autoInstallPeers: true", "  excludeLinksFromLockfile: false", "", "importers:", "", "  .:", "    dependencies:"]
    for name in graph.top:
        text += [f"      {name}:", f"        specifier: ^{graph.versions[name]}", f"        version: {graph.versions[name]}"]
    text += ["", "packages:", ""]
    for name in graph.names:
        text += [f"  {name}@{graph.versions[name]}:", f"    resolution: {{integrity: {INTEGRITY}}}", "    engines: {node: '>=18'}", ""]
    text += ["snapshots:", ""]
    for name in graph.names:
        if graph.below[name]:
            text += [f"  {name}@{graph.versions[name]}:", "    dependencies:", *(f"      {other}: {graph.versions[other]}" for other in graph.below[name]), ""]
        else:
            text += [f"  {name}@{graph.versions[name]}: {{}}", ""]
    return "\n".join(text)


@made("pnpm-lock", "pnpm-lock.yaml", "v6")
def pnpm_lock_6(graph):
    text = ["lockfileVersion: '6.0'", "", "settings:", "  autoInstallPeers: true", "  excludeLinksFromLockfile: false", "", "dependencies:"]
    for name in graph.top:
        text += [f"  {name}:", f"    specifier: ^{graph.versions[name]}", f"    version: {graph.versions[name]}"]
    text += ["", "packages:", ""]
    for name in graph.names:
        text += [f"  /{name}@{graph.versions[name]}:", f"    resolution: {{integrity: {INTEGRITY}}}"]
        if graph.below[name]:
            text += ["    dependencies:", *(f"      {other}: {graph.versions[other]}" for other in graph.below[name])]
        text += ["    dev: false", ""]
    return "\n".join(text)


@made("bun-lock", "bun.lock", "v1")
def bun_lock(graph):
    top = "".join(f'        "{name}": "^{graph.versions[name]}",\n' for name in graph.top)
    text = ['{\n  "lockfileVersion": 1,\n  "workspaces": {\n    "": {\n      "name": "root",\n      "dependencies": {\n' + top + "      },\n    },\n  },\n  \"packages\": {\n"]
    for name in graph.names:
        needs = ", ".join(f'"{other}": "^{graph.versions[other]}"' for other in graph.below[name])
        more = f'{{ "dependencies": {{ {needs} }} }}' if needs else "{}"
        text.append(f'    "{name}": ["{name}@{graph.versions[name]}", "", {more}, "{INTEGRITY}"],\n\n')
    return "".join(text) + "  }\n}\n"


@made("deno-lock", "deno.lock", "v5")
def deno_lock(graph):
    packages = {f"{name}@{graph.versions[name]}": {"integrity": INTEGRITY, "dependencies": graph.below[name]} for name in graph.names}
    specifiers = {f"npm:{name}@^{graph.versions[name]}": graph.versions[name] for name in graph.top}
    return json.dumps({"version": "5", "specifiers": specifiers, "npm": packages, "workspace": {"dependencies": list(specifiers)}}, indent=2)

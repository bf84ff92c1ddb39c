"""Package managers of one format, or few."""

import json

from . import SHA1, SHA256, made


@made("cargo-lock", "Cargo.lock", "v4")
def cargo_lock(graph):
    text = ["version = 4", ""]
    for name in graph.names:
        text += ["[[package]]", f'name = "{name}"', f'version = "{graph.versions[name]}"', 'source = "registry+https://registry.invalid/index"', f'checksum = "{SHA256}"']
        if graph.below[name]:
            text += ["dependencies = [", *(f' "{other}",' for other in graph.below[name]), "]"]
        text.append("")
    return "\n".join(text)


@made("go-mod", "go.mod", more=1)
def go_mod(graph):
    top = set(graph.top)
    lines = "".join(f"\texample.invalid/{name} v1.{graph.versions[name].split('.', 1)[1]}{'' if name in top else ' // indirect'}\n" for name in graph.names)
    return f"module example.invalid/root\n\ngo 1.24.0\n\nrequire (\n{lines})\n"


@made("go-work", "go.work", more=1)
def go_work(graph):
    lines = "".join(f"\texample.invalid/{name} => example.invalid/{name} v1.{graph.versions[name].split('.', 1)[1]}\n" for name in graph.names)
    return f"go 1.24.0\n\nreplace (\n{lines})\n"


@made("go-vendor", "vendor/modules.txt")
def go_vendor(graph):
    entry = "# example.invalid/{0} v1.{1}\n## explicit; go 1.24\nexample.invalid/{0}\nexample.invalid/{0}/internal\n"
    return "".join(entry.format(name, graph.versions[name].split(".", 1)[1]) for name in graph.names)


@made("gemfile-lock", "Gemfile.lock")
def gemfile_lock(graph):
    text = ["GEM", "  remote: https://registry.invalid/", "  specs:"]
    for name in sorted(graph.names):
        text += [f"    {name} ({graph.versions[name]})", *(f"      {other} (>= {graph.versions[other]})" for other in graph.below[name])]
    return "\n".join([*text, "", "PLATFORMS", "  ruby", "", "DEPENDENCIES", *(f"  {name}" for name in sorted(graph.top)), "", "BUNDLED WITH", "   2.6.2", ""])


def composer(graph, name):
    return {"name": f"vendor/{name}", "version": graph.versions[name], "source": {"type": "git", "url": f"https://git.invalid/{name}", "reference": SHA1},
            "dist": {"type": "zip", "url": f"https://registry.invalid/{name}.zip", "reference": SHA1, "shasum": ""},
            "require": {f"vendor/{other}": f"^{graph.versions[other]}" for other in graph.below[name]}, "type": "library"}


@made("composer-lock", "composer.lock")
def composer_lock(graph):
    document = {"_readme": [], "content-hash": "0" * 32, "packages": [composer(graph, name) for name in graph.names], "packages-dev": [], "aliases": [], "minimum-stability": "stable",
                "stability-flags": {}, "prefer-stable": False, "prefer-lowest": False, "platform": {}, "platform-dev": {}, "plugin-api-version": "2.6.0"}
    return json.dumps(document, indent=4)


@made("composer-installed", "vendor/composer/installed.json", "v2")
def composer_installed(graph):
    return json.dumps({"packages": [composer(graph, name) for name in graph.names], "dev": True, "dev-package-names": []}, indent=4)


@made("pubspec-lock", "pubspec.lock")
def pubspec_lock(graph):
    text = ["packages:"]
    for name in graph.names:
        word = name.replace("-", "_")
        text += [f"  {word}:", "    dependency: transitive", "    description:", f"      name: {word}", f'      sha256: "{SHA256}"', '      url: "https://registry.invalid"', "    source: hosted", f'    version: "{graph.versions[name]}"']
    return "\n".join([*text, "sdks:", '  dart: ">=3.0.0 <4.0.0"', ""])


@made("mix-lock", "mix.lock")
def mix_lock(graph):
    text = ["%{"]
    for name in graph.names:
        needs = ", ".join(f'{{:"{other}", "~> {graph.versions[other]}", [hex: :"{other}", repo: "hexpm", optional: false]}}' for other in graph.below[name])
        text.append(f'  "{name}": {{:hex, :"{name}", "{graph.versions[name]}", "{SHA256}", [:mix], [{needs}], "hexpm", "{SHA256}"}},')
    return "\n".join([*text, "}", ""])


@made("gleam-manifest", "manifest.toml")
def gleam_manifest(graph):
    word = lambda name: name.replace("-", "_")
    text = ["packages = ["]
    for name in graph.names:
        needs = ", ".join(f'"{word(other)}"' for other in graph.below[name])
        text.append(f'  {{ name = "{word(name)}", version = "{graph.versions[name]}", build_tools = ["gleam"], requirements = [{needs}], otp_app = "{word(name)}", source = "hex", outer_checksum = "{SHA256}" }},')
    return "\n".join([*text, "]", "", "[requirements]", *(f'{word(name)} = {{ version = "~> {graph.versions[name]}" }}' for name in graph.top), ""])


@made("conan-lock", "conan.lock", "0.5")
def conan_lock(graph):
    requires = [f"{name}/{graph.versions[name]}#{SHA256[:32]}%1795489935.5" for name in graph.names]
    return json.dumps({"version": "0.5", "requires": requires, "build_requires": [], "python_requires": [], "config_requires": []}, indent=4)


@made("conan-lock", "conan.lock", "0.4")
def conan_lock_1(graph):
    number = {name: str(index) for index, name in enumerate(graph.names, 1)}
    nodes = {"0": {"options": "", "requires": [number[name] for name in graph.top], "path": "conanfile.txt", "context": "host"}}
    for name in graph.names:
        nodes[number[name]] = {"ref": f"{name}/{graph.versions[name]}#{SHA256[:32]}", "options": "", "package_id": SHA1, "requires": [number[other] for other in graph.below[name]], "context": "host"}
    return json.dumps({"graph_lock": {"nodes": nodes, "revisions_enabled": True}, "version": "0.4", "profile_host": "[settings]\nos=Linux\n"}, indent=1)


@made("swift-resolved", "Package.resolved", "v3")
def swift_resolved(graph):
    pins = [{"identity": name, "kind": "remoteSourceControl", "location": f"https://git.invalid/{name}.git", "state": {"revision": SHA1, "version": graph.versions[name]}} for name in graph.names]
    return json.dumps({"originHash": SHA256, "pins": pins, "version": 3}, indent=2)


@made("podfile-lock", "Podfile.lock")
def podfile_lock(graph):
    text = ["PODS:"]
    for name in graph.names:
        below = graph.below[name]
        text += [f"  - {name} ({graph.versions[name]}){':' if below else ''}", *(f"    - {other} (~> {graph.versions[other]})" for other in below)]
    text += ["", "DEPENDENCIES:", *(f"  - {name} (~> {graph.versions[name]})" for name in graph.top), "", "SPEC REPOS:", "  trunk:", *(f"    - {name}" for name in graph.names)]
    return "\n".join([*text, "", "SPEC CHECKSUMS:", *(f"  {name}: {SHA1}" for name in graph.names), "", f"PODFILE CHECKSUM: {SHA1}", "", "COCOAPODS: 1.15.2", ""])


@made("renv-lock", "renv.lock")
def renv_lock(graph):
    word = lambda name: name.replace("-", ".")
    packages = {word(name): {"Package": word(name), "Version": graph.versions[name], "Source": "Repository", "Repository": "CRAN", "Requirements": [word(other) for other in graph.below[name]], "Hash": SHA256[:32]} for name in graph.names}
    return json.dumps({"R": {"Version": "4.4.2", "Repositories": [{"Name": "CRAN", "URL": "https://registry.invalid"}]}, "Packages": packages}, indent=2)


@made("cabal-freeze", "cabal.project.freeze")
def cabal_freeze(graph):
    constraints = ",\n             ".join(f"any.{name.replace('-', '-p')} =={graph.versions[name]}" for name in graph.names)
    return f"active-repositories: registry.invalid:merge\nconstraints: {constraints}\nindex-state: registry.invalid 2026-01-02T03:04:05Z\n"


@made("stack-lock", "stack.yaml.lock")
def stack_lock(graph):
    text = ["packages:"]
    for name in graph.names:
        name_version = f"{name.replace('-', '-p')}-{graph.versions[name]}"
        text += ["- completed:", f"    hackage: {name_version}@sha256:{SHA256},613", "    pantry-tree:", f"      sha256: {SHA256}", "      size: 226", "  original:", f"    hackage: {name_version}"]
    return "\n".join([*text, "snapshots: []", ""])


@made("julia-manifest", "Manifest.toml", "v2")
def julia_manifest(graph):
    word = lambda name: name.replace("package-", "Package")
    text = ['julia_version = "1.9.4"', 'manifest_format = "2.0"', f'project_hash = "{SHA1}"', ""]
    for index, name in enumerate(graph.names):
        text += [f"[[deps.{word(name)}]]"]
        if graph.below[name]:
            text += [f"deps = [{', '.join(f'{chr(34)}{word(other)}{chr(34)}' for other in graph.below[name])}]"]
        text += [f'git-tree-sha1 = "{SHA1}"', f'uuid = "aaaaaaaa-0000-0000-0000-{index:012}"', f'version = "{graph.versions[name]}"', ""]
    return "\n".join(text)


@made("opam-locked", "root.opam.locked")
def opam_locked(graph):
    return "\n".join(['opam-version: "2.0"', 'name: "root"', 'version: "1.0"', "depends: [", *(f'  "{name}" {{= "{graph.versions[name]}"}}' for name in graph.names), "]", ""])


@made("cpanfile-snapshot", "cpanfile.snapshot")
def cpanfile_snapshot(graph):
    module = lambda name: name.replace("package-", "Package::P")
    text = ["# carton snapshot format: version 1.0", "DISTRIBUTIONS"]
    for name in graph.names:
        release = f"{module(name).replace('::', '-')}-{graph.versions[name]}"
        text += [f"  {release}", f"    pathname: A/AB/ABC/{release}.tar.gz", "    provides:", f"      {module(name)} {graph.versions[name]}"]
        text += ["    requirements:", "      perl 5.010", *(f"      {module(other)} {graph.versions[other]}" for other in graph.below[name])]
    return "\n".join([*text, ""])


@made("flake-lock", "flake.lock")
def flake_lock(graph):
    nodes = {"root": {"inputs": {name: name for name in graph.top}}}
    for name in graph.names:
        nodes[name] = {"inputs": {other: other for other in graph.below[name]}, "locked": {"narHash": "sha256-" + "A" * 43 + "=", "rev": SHA1, "type": "git", "url": f"https://git.invalid/{name}"},
                       "original": {"type": "git", "url": f"https://git.invalid/{name}"}}
    return json.dumps({"nodes": nodes, "root": "root", "version": 7}, indent=2)

"""pip, Pipenv, Poetry, uv, PDM, the standard's pylock, and conda."""

import json

from . import SHA256, made


@made("pip-requirements", "requirements.txt")
def requirements(graph):
    return "".join(f"{name}=={graph.versions[name]} \\\n    --hash=sha256:{SHA256}\n" for name in graph.names)


@made("pipfile-lock", "Pipfile.lock")
def pipfile_lock(graph):
    packages = {name: {"hashes": [f"sha256:{SHA256}", f"sha256:{SHA256[:-1]}1"], "index": "main", "markers": "python_version >= '3.9'", "version": f"=={graph.versions[name]}"} for name in graph.names}
    sources = [{"name": "main", "url": "https://index.invalid/simple", "verify_ssl": True}]
    return json.dumps({"_meta": {"hash": {"sha256": SHA256}, "pipfile-spec": 6, "requires": {}, "sources": sources}, "default": packages, "develop": {}}, indent=4)


def files(name, version):
    return [f'    {{file = "{name}-{version}-py3-none-any.whl", hash = "sha256:{SHA256}"}},', f'    {{file = "{name}-{version}.tar.gz", hash = "sha256:{SHA256}"}},']


@made("poetry-lock", "poetry.lock", "v2.1")
def poetry_lock(graph):
    text = []
    for name in graph.names:
        version = graph.versions[name]
        text += ["[[package]]", f'name = "{name}"', f'version = "{version}"', 'description = "A package."', "optional = false", 'python-versions = ">=3.9"', 'groups = ["main"]',
                 "files = [", *files(name, version), "]", ""]
        if graph.below[name]:
            text += ["[package.dependencies]", *(f'{other} = ">={graph.versions[other]}"' for other in graph.below[name]), ""]
    text += ["[metadata]", 'lock-version = "2.1"', 'python-versions = ">=3.9"', f'content-hash = "{SHA256}"', ""]
    return "\n".join(text)


@made("uv-lock", "uv.lock")
def uv_lock(graph):
    text = ["version = 1", 'requires-python = ">=3.9"', ""]
    for name in graph.names:
        version = graph.versions[name]
        text += ["[[package]]", f'name = "{name}"', f'version = "{version}"', 'source = { registry = "https://index.invalid/simple" }']
        if graph.below[name]:
            text += ["dependencies = [", *(f'    {{ name = "{other}" }},' for other in graph.below[name]), "]"]
        text += [f'sdist = {{ url = "https://files.invalid/{name}-{version}.tar.gz", hash = "sha256:{SHA256}", size = 1 }}',
                 "wheels = [", f'    {{ url = "https://files.invalid/{name}-{version}-py3-none-any.whl", hash = "sha256:{SHA256}", size = 1 }},', "]", ""]
    return "\n".join(text)


@made("pdm-lock", "pdm.lock", "v4.5")
def pdm_lock(graph):
    text = ["[metadata]", 'groups = ["default"]', 'strategy = ["inherit_metadata"]', 'lock_version = "4.5.0"', f'content_hash = "sha256:{SHA256}"', "",
            "[[metadata.targets]]", 'requires_python = ">=3.9"', ""]
    for name in graph.names:
        version = graph.versions[name]
        text += ["[[package]]", f'name = "{name}"', f'version = "{version}"', 'requires_python = ">=3.9"', 'summary = "A package."', 'groups = ["default"]']
        if graph.below[name]:
            text += ["dependencies = [", *(f'    "{other}>={graph.versions[other]}",' for other in graph.below[name]), "]"]
        text += ["files = [", *files(name, version), "]", ""]
    return "\n".join(text)


@made("pylock", "pylock.toml")
def pylock(graph):
    text = ['lock-version = "1.0"', 'created-by = "bench"', 'requires-python = ">=3.9"', ""]
    for name in graph.names:
        version = graph.versions[name]
        hashes = f'hashes = {{ sha256 = "{SHA256}" }}'
        text += ["[[packages]]", f'name = "{name}"', f'version = "{version}"', 'index = "https://index.invalid/simple"',
                 f'sdist = {{ url = "https://files.invalid/{name}-{version}.tar.gz", size = 1, {hashes} }}',
                 f'wheels = [{{ url = "https://files.invalid/{name}-{version}-py3-none-any.whl", size = 1, {hashes} }}]', ""]
    return "\n".join(text)


@made("conda-lock", "conda-lock.yml")
def conda_lock(graph):
    text = ["version: 1", "metadata:", "  content_hash:", f"    linux-64: {SHA256}", "  channels:", "  - url: conda-forge", "    used_env_vars: []",
            "  platforms:", "  - linux-64", "  sources:", "  - environment.yml", "package:"]
    for name in graph.names:
        version = graph.versions[name]
        text += [f"- name: {name}", f"  version: {version}", "  manager: conda", "  platform: linux-64"]
        if graph.below[name]:
            text += ["  dependencies:", *(f"    {other}: '>={graph.versions[other]}'" for other in graph.below[name])]
        else:
            text += ["  dependencies: {}"]
        text += [f"  url: https://conda.invalid/linux-64/{name}-{version}-0.conda", "  hash:", f"    md5: {SHA256[:32]}", f"    sha256: {SHA256}", "  category: main", "  optional: false"]
    return "\n".join([*text, ""])


@made("conda-environment", "environment.yml")
def conda_environment(graph):
    return "\n".join(["name: bench", "channels:", "  - conda-forge", "dependencies:", *(f"  - {name}={graph.versions[name]}=h{SHA256[:7]}_0" for name in graph.names), ""])

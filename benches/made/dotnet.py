"""NuGet and Paket."""

import json

from . import SHA512, made


def needs(graph, name):
    return {other: graph.versions[other] for other in graph.below[name]}


@made("nuget-lock", "packages.lock.json", "v1")
def nuget_lock(graph):
    top = set(graph.top)
    entries = {name: {"type": "Direct", "requested": f"[{graph.versions[name]}, )"} if name in top else {"type": "Transitive"} for name in graph.names}
    for name, entry in entries.items():
        entry.update({"resolved": graph.versions[name], "contentHash": SHA512, "dependencies": needs(graph, name)})
    return json.dumps({"version": 1, "dependencies": {"net8.0": entries}}, indent=2)


@made("nuget-assets", "obj/project.assets.json", "v3")
def nuget_assets(graph):
    key = lambda name: f"{name}/{graph.versions[name]}"
    targets = {key(name): {"type": "package", "dependencies": needs(graph, name), "compile": {f"lib/net8.0/{name}.dll": {}}, "runtime": {f"lib/net8.0/{name}.dll": {}}} for name in graph.names}
    libraries = {key(name): {"sha512": SHA512, "type": "package", "path": key(name), "files": [f"lib/net8.0/{name}.dll", f"{name}.nuspec"]} for name in graph.names}
    groups = {"net8.0": [f"{name} >= {graph.versions[name]}" for name in graph.top]}
    project = {"version": "1.0.0", "restore": {"projectPath": "/build/Root.csproj", "projectName": "Root"}}
    return json.dumps({"version": 3, "targets": {"net8.0": targets}, "libraries": libraries, "projectFileDependencyGroups": groups, "project": project}, indent=2)


@made("dotnet-deps", "Root.deps.json", more=1)
def dotnet_deps(graph):
    key = lambda name: f"{name}/{graph.versions[name]}"
    target = ".NETCoreApp,Version=v8.0"
    entries = {"Root/1.0.0": {"dependencies": {name: graph.versions[name] for name in graph.top}, "runtime": {"Root.dll": {}}}}
    entries.update({key(name): {"dependencies": needs(graph, name), "runtime": {f"lib/net8.0/{name}.dll": {"assemblyVersion": "1.0.0.0"}}} for name in graph.names})
    libraries = {"Root/1.0.0": {"type": "project", "serviceable": False, "sha512": ""}}
    libraries.update({key(name): {"type": "package", "serviceable": True, "sha512": f"sha512-{SHA512}", "path": key(name)} for name in graph.names})
    return json.dumps({"runtimeTarget": {"name": target, "signature": ""}, "compilationOptions": {}, "targets": {target: entries}, "libraries": libraries}, indent=2)


@made("nuget-packages-config", "packages.config")
def nuget_packages_config(graph):
    lines = (f'  <package id="{name}" version="{graph.versions[name]}" targetFramework="net48" />' for name in graph.names)
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', "<packages>", *lines, "</packages>", ""])


@made("msbuild-project", "Root.csproj")
def msbuild_project(graph):
    lines = (f'    <PackageReference Include="{name}" Version="{graph.versions[name]}" />' for name in graph.names)
    return "\n".join(['<Project Sdk="Microsoft.NET.Sdk">', "  <PropertyGroup>", "    <TargetFramework>net8.0</TargetFramework>", "  </PropertyGroup>", "  <ItemGroup>", *lines, "  </ItemGroup>", "</Project>", ""])


@made("msbuild-props", "Directory.Packages.props")
def msbuild_props(graph):
    lines = (f'    <PackageVersion Include="{name}" Version="[{graph.versions[name]}]" />' for name in graph.names)
    return "\n".join(["<Project>", "  <PropertyGroup>", "    <ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally>", "  </PropertyGroup>", "  <ItemGroup>", *lines, "  </ItemGroup>", "</Project>", ""])


@made("dotnet-tools", ".config/dotnet-tools.json")
def dotnet_tools(graph):
    return json.dumps({"version": 1, "isRoot": True, "tools": {name: {"version": graph.versions[name], "commands": [name]} for name in graph.names}}, indent=2)


@made("paket-lock", "paket.lock")
def paket_lock(graph):
    text = ["NUGET", "  remote: https://registry.invalid/v3/index.json"]
    for name in graph.names:
        text += [f"    {name} ({graph.versions[name]})", *(f"      {other} (>= {graph.versions[other]})" for other in graph.below[name])]
    return "\n".join([*text, ""])

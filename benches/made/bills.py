"""Bills of materials: CycloneDX and SPDX."""

import json

from . import SHA256, made

NAMESPACE = "https://sbom.invalid/bench"


def purl(graph, name):
    return f"pkg:npm/{name}@{graph.versions[name]}"


@made("sbom", "bom.json", "CycloneDX 1.6, JSON")
def cyclonedx_json(graph):
    components = [{"type": "library", "bom-ref": purl(graph, name), "name": name, "version": graph.versions[name], "purl": purl(graph, name), "hashes": [{"alg": "SHA-256", "content": SHA256}]} for name in graph.names]
    needs = [{"ref": purl(graph, name), "dependsOn": [purl(graph, other) for other in graph.below[name]]} for name in graph.names]
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components, "dependencies": needs}, indent=2)


@made("sbom", "bom.xml", "CycloneDX 1.6, XML")
def cyclonedx_xml(graph):
    text = ['<?xml version="1.0" encoding="UTF-8"?>', '<bom xmlns="http://cyclonedx.org/schema/bom/1.6" version="1">', "  <components>"]
    for name in graph.names:
        text += [f'    <component type="library" bom-ref="{purl(graph, name)}">', f"      <name>{name}</name>", f"      <version>{graph.versions[name]}</version>",
                 "      <hashes>", f'        <hash alg="SHA-256">{SHA256}</hash>', "      </hashes>", f"      <purl>{purl(graph, name)}</purl>", "    </component>"]
    text += ["  </components>", "  <dependencies>"]
    for name in graph.names:
        text += [f'    <dependency ref="{purl(graph, name)}">', *(f'      <dependency ref="{purl(graph, other)}"/>' for other in graph.below[name]), "    </dependency>"]
    return "\n".join([*text, "  </dependencies>", "</bom>", ""])


def spdx_2(graph):
    packages = [{"name": name, "SPDXID": f"SPDXRef-{name}", "versionInfo": graph.versions[name], "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
                 "checksums": [{"algorithm": "SHA256", "checksumValue": SHA256}],
                 "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl(graph, name)}]} for name in graph.names]
    packages.append({"name": "root", "SPDXID": "SPDXRef-root", "downloadLocation": "NOASSERTION", "filesAnalyzed": False})
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-root"), *(("SPDXRef-root", "DEPENDS_ON", f"SPDXRef-{name}") for name in graph.top)]
    relations += [(f"SPDXRef-{name}", "DEPENDS_ON", f"SPDXRef-{other}") for name in graph.names for other in graph.below[name]]
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "bench", "documentNamespace": NAMESPACE,
            "creationInfo": {"created": "2026-01-02T03:04:05Z", "creators": ["Tool: bench"]}, "packages": packages,
            "relationships": [{"spdxElementId": source, "relationshipType": kind, "relatedSpdxElement": to} for source, kind, to in relations]}


@made("sbom", "bom.spdx.json", "SPDX 2.3, JSON")
def spdx_json(graph):
    return json.dumps(spdx_2(graph), indent=2)


@made("sbom", "bom.spdx.yaml", "SPDX 2.3, YAML")
def spdx_yaml(graph):
    document = spdx_2(graph)
    text = [f"{key}: {document[key]}" for key in ("SPDXID", "dataLicense", "documentNamespace", "name", "spdxVersion")]
    text += ["creationInfo:", "  created: '2026-01-02T03:04:05Z'", "  creators:", "  - 'Tool: bench'", "packages:"]
    text += ["- SPDXID: SPDXRef-root", "  downloadLocation: NOASSERTION", "  filesAnalyzed: false", "  name: root"]
    for package in document["packages"][:-1]:
        text += [f"- SPDXID: {package['SPDXID']}", "  checksums:", "  - algorithm: SHA256", f"    checksumValue: '{SHA256}'", "  downloadLocation: NOASSERTION", "  externalRefs:",
                 "  - referenceCategory: PACKAGE-MANAGER", f"    referenceLocator: {package['externalRefs'][0]['referenceLocator']}", "    referenceType: purl", "  filesAnalyzed: false",
                 f"  name: {package['name']}", f"  versionInfo: {package['versionInfo']}"]
    text.append("relationships:")
    for relation in document["relationships"]:
        text += [f"- relatedSpdxElement: {relation['relatedSpdxElement']}", f"  relationshipType: {relation['relationshipType']}", f"  spdxElementId: {relation['spdxElementId']}"]
    return "\n".join([*text, ""])


@made("sbom", "bom.spdx", "SPDX 2.3, tags")
def spdx_tags(graph):
    document = spdx_2(graph)
    text = ["SPDXVersion: SPDX-2.3", "DataLicense: CC0-1.0", "SPDXID: SPDXRef-DOCUMENT", "DocumentName: bench", f"DocumentNamespace: {NAMESPACE}", "Creator: Tool: bench", "Created: 2026-01-02T03:04:05Z", ""]
    text += ["PackageName: root", "SPDXID: SPDXRef-root", "PackageDownloadLocation: NOASSERTION", "FilesAnalyzed: false", ""]
    for package in document["packages"][:-1]:
        text += [f"PackageName: {package['name']}", f"SPDXID: {package['SPDXID']}", f"PackageVersion: {package['versionInfo']}", "PackageDownloadLocation: NOASSERTION", "FilesAnalyzed: false",
                 f"PackageChecksum: SHA256: {SHA256}", f"ExternalRef: PACKAGE-MANAGER purl {package['externalRefs'][0]['referenceLocator']}", ""]
    text += [f"Relationship: {relation['spdxElementId']} {relation['relationshipType']} {relation['relatedSpdxElement']}" for relation in document["relationships"]]
    return "\n".join([*text, ""])


@made("sbom", "bom.spdx.rdf.xml", "SPDX 2.3, RDF")
def spdx_rdf(graph):
    relations = {}
    for relation in spdx_2(graph)["relationships"]:
        relations.setdefault(relation["spdxElementId"], []).append(relation)

    def related(source):
        for relation in relations.get(source, ()):
            kind = {"DESCRIBES": "describes", "DEPENDS_ON": "dependsOn"}[relation["relationshipType"]]
            yield from ("    <spdx:relationship>", "      <spdx:Relationship>", f'        <spdx:relationshipType rdf:resource="http://spdx.org/rdf/terms#relationshipType_{kind}"/>',
                        f'        <spdx:relatedSpdxElement rdf:resource="{NAMESPACE}#{relation["relatedSpdxElement"]}"/>', "      </spdx:Relationship>", "    </spdx:relationship>")

    text = ['<?xml version="1.0" encoding="UTF-8"?>', '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:spdx="http://spdx.org/rdf/terms#">',
            f'  <spdx:SpdxDocument rdf:about="{NAMESPACE}#SPDXRef-DOCUMENT">', "    <spdx:specVersion>SPDX-2.3</spdx:specVersion>", *related("SPDXRef-DOCUMENT"), "  </spdx:SpdxDocument>",
            f'  <spdx:Package rdf:about="{NAMESPACE}#SPDXRef-root">', "    <spdx:name>root</spdx:name>", *related("SPDXRef-root"), "  </spdx:Package>"]
    for name in graph.names:
        text += [f'  <spdx:Package rdf:about="{NAMESPACE}#SPDXRef-{name}">', f"    <spdx:name>{name}</spdx:name>", f"    <spdx:versionInfo>{graph.versions[name]}</spdx:versionInfo>",
                 "    <spdx:checksum>", "      <spdx:Checksum>", '        <spdx:algorithm rdf:resource="http://spdx.org/rdf/terms#checksumAlgorithm_sha256"/>', f"        <spdx:checksumValue>{SHA256}</spdx:checksumValue>", "      </spdx:Checksum>", "    </spdx:checksum>",
                 "    <spdx:externalRef>", "      <spdx:ExternalRef>", '        <spdx:referenceType rdf:resource="http://spdx.org/rdf/references/purl"/>', f"        <spdx:referenceLocator>{purl(graph, name)}</spdx:referenceLocator>", "      </spdx:ExternalRef>", "    </spdx:externalRef>",
                 *related(f"SPDXRef-{name}"), "  </spdx:Package>"]
    return "\n".join([*text, "</rdf:RDF>", ""])


@made("sbom", "bom.spdx3.json", "SPDX 3.0.1, JSON-LD")
def spdx_3(graph):
    iri = lambda name: f"{NAMESPACE}#SPDXRef-{name}"
    elements = [{"type": "CreationInfo", "@id": "_:creation", "specVersion": "3.0.1", "created": "2026-01-02T03:04:05Z", "createdBy": [iri("Agent")]},
                {"type": "SoftwareAgent", "spdxId": iri("Agent"), "creationInfo": "_:creation", "name": "bench"},
                {"type": "software_Sbom", "spdxId": iri("Sbom"), "creationInfo": "_:creation", "rootElement": [iri("root")], "software_sbomType": ["source"]},
                {"type": "software_Package", "spdxId": iri("root"), "creationInfo": "_:creation", "name": "root"},
                {"type": "Relationship", "spdxId": iri("needs-root"), "creationInfo": "_:creation", "from": iri("root"), "relationshipType": "dependsOn", "to": [iri(name) for name in graph.top]}]
    for name in graph.names:
        elements.append({"type": "software_Package", "spdxId": iri(name), "creationInfo": "_:creation", "name": name, "software_packageVersion": graph.versions[name], "software_packageUrl": purl(graph, name),
                         "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": SHA256}]})
        if graph.below[name]:
            elements.append({"type": "Relationship", "spdxId": iri(f"needs-{name}"), "creationInfo": "_:creation", "from": iri(name), "relationshipType": "dependsOn", "to": [iri(other) for other in graph.below[name]]})
    return json.dumps({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": elements}, indent=2)

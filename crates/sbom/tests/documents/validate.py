"""Checks documents with the validators of CycloneDX and SPDX, on two processes.

The first argument is a folder, whose files are named `….<format>`, where the format is
`1.6.cdx.json`, `1.6.cdx.xml`, `spdx.json`, `spdx` (tags and values) or `spdx3.json`; the second,
which may be missing, an archive with the published schema of SPDX 3. Prints how many documents it
checked, or what is wrong and ends with 1.

The validators compare each package with each, and take a fifth of a second for an address, which
makes hours for the corpus. What they ask there is answered another way (`quicker_*`), with the same
answers.
"""

import io
import json
import multiprocessing
import os
import sys
import zipfile

import cyclonedx.validation.json
import jsonschema
import jsonschema_rs
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from rfc3986_validator import validate_rfc3986
from spdx_python_model import v3_0_1
from spdx_tools.spdx.model import File, Package, Snippet
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation import package_validator, spdx_id_validators
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

PROCESSES = 2


def quicker_cyclonedx():
    def unique_items(validator, wanted, instance, schema):
        if wanted and validator.is_type(instance, "array"):
            if len({json.dumps(item, sort_keys=True) for item in instance}) < len(instance):
                yield jsonschema.ValidationError("has equal items")

    module = cyclonedx.validation.json
    formats = jsonschema.FormatChecker()
    formats.checkers = dict(module.Draft7Validator.FORMAT_CHECKER.checkers)
    is_iri, _ = formats.checkers["iri-reference"]

    # What RFC 3987 adds to RFC 3986 are letters beyond ASCII.
    @formats.checks("iri-reference", raises=ValueError)
    def is_reference(text):
        return validate_rfc3986(text, rule="URI_reference") if str(text).isascii() else is_iri(text)

    module.Draft7Validator = jsonschema.validators.extend(module.Draft7Validator, {"uniqueItems": unique_items}, format_checker=formats)


def quicker_spdx():
    def once(function):
        """The function's answer for the last thing that it was asked about."""
        known = []

        def ask(about):
            if not known or known[0] is not about:
                known[:] = [about, function(about)]
            return known[1]

        return ask

    ids = once(lambda document: frozenset(whole_list(document)))
    whole_list = spdx_id_validators.get_list_of_all_spdx_ids
    spdx_id_validators.get_list_of_all_spdx_ids = ids

    def by(key):
        def index(relationships):
            found = {}
            for relationship in relationships:
                found.setdefault((relationship.relationship_type, key(relationship)), []).append(relationship)
            return found

        indexed = once(index)
        return lambda relationships, kind, id: indexed(relationships).get((kind, id), [])

    package_validator.filter_by_type_and_origin = by(lambda relationship: relationship.spdx_element_id)
    package_validator.filter_by_type_and_target = by(lambda relationship: relationship.related_spdx_element_id)
    kinds = once(lambda document: {element.spdx_id: kind for kind, elements in ((Snippet, document.snippets), (File, document.files), (Package, document.packages)) for element in elements})
    package_validator.get_element_type_from_spdx_id = lambda id, document: kinds(document).get(id)


def cyclonedx_errors(validator, path):
    version = SchemaVersion.from_version(".".join(path.split(".")[-4:-2]))
    with open(path, encoding="utf-8") as file:
        error = validator(version).validate_str(file.read())
    return [] if error is None else [str(error.data)[:500]]


def spdx_errors(path):
    document = parse_file(path)
    return [message.validation_message for message in validate_full_spdx_document(document)]


def spdx3_schema(archive):
    with zipfile.ZipFile(archive).open("resources/schema-v3.0.1.json") as file:
        return jsonschema_rs.validator_for(json.load(file))


SPDX3_SCHEMA = spdx3_schema(sys.argv[2]) if len(sys.argv) > 2 else None


def spdx3_errors(path):
    """The model's classes are made from SPDX's shapes: reading checks types, values and how many of
    them there may be, writing how many there must be."""
    objects = v3_0_1.SHACLObjectSet()
    with open(path, "rb") as file:
        v3_0_1.JSONLDDeserializer().read(file, objects)
    v3_0_1.JSONLDSerializer().write(objects, io.BytesIO())
    if SPDX3_SCHEMA:
        with open(path, encoding="utf-8") as file:
            for error in SPDX3_SCHEMA.iter_errors(json.load(file)):
                return [f"{'/'.join(map(str, error.instance_path))}: {error.message[:200]}"]
    missing = objects.link()
    errors = [f"refers to `{name}`, which is not there" for name in missing or ()]
    for item in objects.objects:
        if type(item).__name__ == "SHACLExtensibleObject":
            errors.append(f"has an object of an unknown type: {item}")
    if not list(objects.foreach_type("software_Package")):
        errors.append("has no packages")
    return errors


def errors_of(path):
    try:
        if path.endswith(".cdx.json"):
            found = cyclonedx_errors(JsonStrictValidator, path)
        elif path.endswith(".cdx.xml"):
            found = cyclonedx_errors(XmlValidator, path)
        elif path.endswith(".spdx3.json"):
            found = spdx3_errors(path)
        else:
            found = spdx_errors(path)
    except Exception as error:  # What a validator cannot read at all is wrong too.
        found = [f"{type(error).__name__}: {error}"[:500]]
    return [f"{path}: {error}" for error in found[:5]]


def main():
    quicker_cyclonedx()
    quicker_spdx()
    folder = sys.argv[1]
    paths = sorted((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getsize, reverse=True)
    with multiprocessing.get_context("fork").Pool(PROCESSES) as pool:
        errors = [error for found in pool.imap_unordered(errors_of, paths) for error in found]
    if errors:
        sys.exit("\n".join(sorted(errors)))
    print(f"{len(paths)} documents")


main()

"""Checks documents with the validators of CycloneDX and SPDX.

Arguments are files named `….<format>`, where the format is `1.6.cdx.json`, `1.6.cdx.xml`,
`spdx.json`, `spdx` (tags and values) or `spdx3.json`. Prints what is wrong and ends with 1.
"""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from spdx_python_model import v3_0_1
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def cyclonedx(validator, path):
    version = SchemaVersion.from_version(".".join(path.split(".")[-4:-2]))
    with open(path, encoding="utf-8") as file:
        error = validator(version).validate_str(file.read())
    return [] if error is None else [str(error.data)[:500]]


def spdx(path):
    document = parse_file(path)
    return [message.validation_message for message in validate_full_spdx_document(document)]


def spdx3(path):
    objects = v3_0_1.SHACLObjectSet()
    with open(path, "rb") as file:
        v3_0_1.JSONLDDeserializer().read(file, objects)
    missing = objects.link()
    errors = [f"refers to `{name}`, which is not there" for name in missing or ()]
    for item in objects.objects:
        if type(item).__name__ == "SHACLExtensibleObject":
            errors.append(f"has an object of an unknown type: {item}")
    if not list(objects.foreach_type("software_Package")):
        errors.append("has no packages")
    return errors


def check(path):
    if path.endswith(".cdx.json"):
        return cyclonedx(JsonStrictValidator, path)
    if path.endswith(".cdx.xml"):
        return cyclonedx(XmlValidator, path)
    if path.endswith(".spdx3.json"):
        return spdx3(path)
    return spdx(path)


failed = False
for path in sys.argv[1:]:
    for error in check(path)[:5]:
        failed = True
        print(f"{path}: {error}")
sys.exit(1 if failed else 0)

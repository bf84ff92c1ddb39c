"""Loopback services that give the peers the same advisories that patchgate gets."""

import collections
import contextlib
import gzip
import http.server
import json
import threading
import urllib.request
import zipfile


def records(folder, ecosystem):
    """The OSV records of an ecosystem, by the name of the package."""
    by_name = collections.defaultdict(list)
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                record = json.loads(archive.read(name))
                if record.get("withdrawn"):
                    continue
                packages = {affected["package"]["name"] for affected in record.get("affected", []) if affected.get("package", {}).get("ecosystem") == ecosystem}
                for package in packages:
                    by_name[package].append(record)
    return by_name


@contextlib.contextmanager
def served(answer):
    """Serves POST and GET requests on a loopback port; `answer(method, path, body)` returns the status, the type and the bytes."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.respond("GET")

        def do_POST(self):
            self.respond("POST")

        def respond(self, method):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            status, kind, content = answer(method, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


def npm_registry(upstream, by_name):
    """npm's registry with an audit endpoint of its own: everything but the audit comes from `upstream`."""
    def answer(method, path, body):
        if method == "POST" and path.endswith("/security/advisories/bulk"):
            asked = json.loads(body)
            found = {name: [advisory(record, name) for record in by_name[name]] for name in asked if name in by_name}
            return 200, "application/json", json.dumps(found).encode()
        if method == "POST":
            return 404, "application/json", b"{}"
        request = urllib.request.Request(upstream.rstrip("/") + path, headers={"Accept": "application/vnd.npm.install-v1+json, */*"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.headers.get("Content-Type", "application/json"), reply.read()
        except urllib.error.HTTPError as error:
            return error.code, "application/json", error.read()

    return served(answer)


def advisory(record, name):
    """A record in the form of npm's bulk audit (the fields that `npm audit` reads)."""
    ranges = [text for affected in record["affected"] if affected["package"]["name"] == name for text in npm_ranges(affected)]
    return {"id": record["id"], "url": f"https://advisories.invalid/{record['id']}", "title": record.get("summary") or record["id"],
            "severity": "high", "vulnerable_versions": " || ".join(ranges) or "<0.0.0-0", "cwe": [], "cvss": {"score": 0, "vectorString": None}}


def npm_ranges(affected):
    yield from affected.get("versions", [])
    for one in affected.get("ranges", []):
        if one["type"] not in ("SEMVER", "ECOSYSTEM"):
            continue
        low = None
        for event in one["events"]:
            if "introduced" in event:
                low = event["introduced"]
            elif "fixed" in event:
                yield f">={floor(low)} <{event['fixed']}"
                low = None
            elif "last_affected" in event:
                yield f">={floor(low)} <={event['last_affected']}"
                low = None
        if low is not None:
            yield f">={floor(low)}"


def floor(version):
    return "0.0.0-0" if version in (None, "0") else version


def osv_api(by_name, matching):
    """OSV's `/v1/query` for one version of a PyPI package; `matching(name, version)` returns the ids of the records."""
    def answer(method, _, body):
        if method != "POST":
            return 404, "application/json", b"{}"
        asked = json.loads(body)
        name = asked["package"]["name"]
        ids = matching(name, asked["version"])
        found = [record for record in by_name.get(name, []) if record["id"] in ids]
        return 200, "application/json", json.dumps({"vulns": found} if found else {}).encode()

    return served(answer)

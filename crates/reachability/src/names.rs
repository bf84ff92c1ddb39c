//! From the name of a package to the names by which sources import it.
//!
//! Only npm and Go fix that name. A crate may call its library something else, a distribution of Python
//! contains any modules, and an artifact of Maven any packages. For these, the tables below have what
//! the packages themselves document. A package that is neither in a table nor imported by its own name
//! may still be behind an import that nothing explains; see `index::Residue`.

use patchgate_api_surface::Language;

/// Most parts of a module's name that are looked at.
const MAX_PARTS: usize = 24;

/// Distributions of Python whose modules have other names.
const PYTHON: &[(&str, &[&str])] = &[
    ("attrs", &["attr", "attrs"]),
    ("beautifulsoup4", &["bs4"]),
    ("django-cors-headers", &["corsheaders"]),
    ("django-filter", &["django_filters"]),
    ("djangorestframework", &["rest_framework"]),
    (
        "djangorestframework-simplejwt",
        &["rest_framework_simplejwt"],
    ),
    ("faiss-cpu", &["faiss"]),
    ("gitpython", &["git"]),
    ("grpcio", &["grpc"]),
    ("mysqlclient", &["MySQLdb"]),
    ("opencv-python", &["cv2"]),
    ("opencv-python-headless", &["cv2"]),
    ("pillow", &["PIL"]),
    ("protobuf", &["google.protobuf"]),
    ("psycopg2-binary", &["psycopg2"]),
    ("pycryptodome", &["Crypto"]),
    ("pycryptodomex", &["Cryptodome"]),
    ("pyjwt", &["jwt"]),
    ("pymupdf", &["fitz", "pymupdf"]),
    ("pynacl", &["nacl"]),
    ("pyopenssl", &["OpenSSL"]),
    ("pyserial", &["serial"]),
    ("pysocks", &["socks"]),
    ("python-dateutil", &["dateutil"]),
    ("python-docx", &["docx"]),
    ("python-dotenv", &["dotenv"]),
    ("python-jose", &["jose"]),
    ("python-ldap", &["ldap"]),
    ("python-multipart", &["multipart", "python_multipart"]),
    (
        "pywin32",
        &["win32api", "win32con", "win32com", "pythoncom"],
    ),
    ("pyyaml", &["yaml"]),
    ("pyzmq", &["zmq"]),
    ("ruamel-yaml", &["ruamel.yaml"]),
    ("scikit-image", &["skimage"]),
    ("scikit-learn", &["sklearn"]),
    ("setuptools", &["setuptools", "pkg_resources"]),
    ("typing-extensions", &["typing_extensions"]),
];

/// Crates whose libraries have other names.
const RUST: &[(&str, &[&str])] = &[
    ("md-5", &["md5"]),
    ("rust-crypto", &["crypto"]),
    ("rust-ini", &["ini"]),
    ("xml-rs", &["xml"]),
];

/// Artifacts of Maven and the packages that they alone contain.
const JAVA: &[(&str, &[&str])] = &[
    (
        "ch.qos.logback:logback-classic",
        &["ch.qos.logback.classic"],
    ),
    ("ch.qos.logback:logback-core", &["ch.qos.logback.core"]),
    ("com.alibaba:fastjson", &["com.alibaba.fastjson"]),
    (
        "com.fasterxml.jackson.core:jackson-core",
        &["com.fasterxml.jackson.core"],
    ),
    (
        "com.fasterxml.jackson.core:jackson-databind",
        &["com.fasterxml.jackson.databind"],
    ),
    ("com.google.code.gson:gson", &["com.google.gson"]),
    (
        "com.google.guava:guava",
        &["com.google.common", "com.google.thirdparty"],
    ),
    (
        "com.google.protobuf:protobuf-java",
        &["com.google.protobuf"],
    ),
    ("com.h2database:h2", &["org.h2"]),
    ("com.mysql:mysql-connector-j", &["com.mysql"]),
    (
        "com.thoughtworks.xstream:xstream",
        &["com.thoughtworks.xstream"],
    ),
    (
        "commons-beanutils:commons-beanutils",
        &["org.apache.commons.beanutils"],
    ),
    (
        "commons-collections:commons-collections",
        &["org.apache.commons.collections"],
    ),
    (
        "commons-fileupload:commons-fileupload",
        &["org.apache.commons.fileupload"],
    ),
    ("commons-io:commons-io", &["org.apache.commons.io"]),
    (
        "io.netty:netty-codec-http",
        &["io.netty.handler.codec.http"],
    ),
    ("mysql:mysql-connector-java", &["com.mysql"]),
    (
        "org.apache.commons:commons-compress",
        &["org.apache.commons.compress"],
    ),
    (
        "org.apache.commons:commons-text",
        &["org.apache.commons.text"],
    ),
    (
        "org.apache.httpcomponents:httpclient",
        &["org.apache.http.client"],
    ),
    (
        "org.apache.logging.log4j:log4j-core",
        &["org.apache.logging.log4j.core"],
    ),
    ("org.apache.shiro:shiro-core", &["org.apache.shiro"]),
    ("org.bouncycastle:bcprov-jdk18on", &["org.bouncycastle"]),
    ("org.dom4j:dom4j", &["org.dom4j"]),
    ("org.jsoup:jsoup", &["org.jsoup"]),
    ("org.postgresql:postgresql", &["org.postgresql"]),
    ("org.yaml:snakeyaml", &["org.yaml.snakeyaml"]),
];

/// The modules at the top of Python's standard library that sources import often enough to matter
/// (<https://docs.python.org/3/py-modindex.html>), those of Python 2 left out.
const PYTHON_STANDARD: &str = " __future__ abc aifc argparse array ast asynchat asyncio asyncore atexit \
    audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code \
    codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy \
    copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email \
    encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools \
    gc getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http idlelib imaplib imghdr \
    imp importlib inspect io ipaddress itertools json keyword lib2to3 linecache locale logging lzma \
    mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis \
    nntplib nt ntpath numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes \
    pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc \
    queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors \
    shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 ssl stat \
    statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile \
    telnetlib tempfile termios textwrap this threading time timeit tkinter token tokenize tomllib trace \
    traceback tracemalloc tty turtle types typing unicodedata unittest urllib uu uuid venv warnings wave \
    weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo ";

/// Beginnings of the packages of a Java platform.
const JAVA_PLATFORM: [&str; 9] = [
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "org.w3c.dom",
    "org.xml.sax",
    "org.ietf.jgss",
    "netscape.javascript",
];

/// Primitive types and other names of Rust's prelude that begin a path in lower case.
const RUST_PRELUDE: &str = " bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 \
    std core alloc proc_macro test crate self super ";

/// The names by which a package is imported: its own in the way of its ecosystem, and those that a table
/// or the manifests of the project give it.
pub(crate) fn import_names<'n>(
    ecosystem: &str,
    package: &str,
    aliases: impl IntoIterator<Item = &'n String>,
) -> Vec<String> {
    let table = |table: &[(&str, &[&str])], key: &str| -> Vec<String> {
        let row = table.iter().find(|(name, _)| *name == key);
        let names = row.map(|(_, names)| *names).unwrap_or_default();
        names.iter().map(|name| (*name).to_owned()).collect()
    };
    let mut names = match ecosystem {
        "PyPI" => {
            let normal = python_normal(package);
            let mut names = table(PYTHON, &normal);
            if names.is_empty() {
                names.push(normal);
            }
            names
        }
        "crates.io" => {
            let mut names = table(RUST, package);
            if names.is_empty() {
                names.push(package.replace('-', "_"));
            }
            names
        }
        "Maven" => table(JAVA, package),
        _ => vec![package.to_owned()],
    };
    names.extend(aliases.into_iter().map(|alias| match ecosystem {
        "crates.io" => alias.replace('-', "_"),
        _ => alias.clone(),
    }));

    names
}

/// A name of Python's index in its normal form
/// (<https://packaging.python.org/en/latest/specifications/name-normalization/>).
pub(crate) fn python_normal(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.extend(c.to_lowercase()),
        }
    }
    normal
}

/// The key of an import name, by which [`prefixes`] finds the modules below it.
pub(crate) fn key(ecosystem: &str, import_name: &str) -> String {
    match ecosystem {
        "PyPI" => python_normal(import_name),
        _ => import_name.to_owned(),
    }
}

/// The keys of the import names that a module may belong to: its beginnings, itself included.
pub(crate) fn prefixes(ecosystem: &str, module: &str) -> Vec<String> {
    let separator = match ecosystem {
        "crates.io" => "::",
        "PyPI" | "Maven" => ".",
        _ => "/",
    };
    let ends = module.match_indices(separator).map(|(end, _)| end);
    let ends = ends.chain(std::iter::once(module.len())).take(MAX_PARTS);
    ends.filter_map(|end| module.get(..end))
        .filter(|prefix| !prefix.is_empty())
        .map(|prefix| key(ecosystem, prefix))
        .collect()
}

/// Whether a module is a part of the language.
pub(crate) fn is_standard(language: Language, module: &str) -> bool {
    let has = |list: &str, name: &str| list.contains(&format!(" {name} "));
    match language {
        Language::Python => {
            let top = module.split('.').next().unwrap_or(module);
            top.starts_with('_') || has(PYTHON_STANDARD, top)
        }
        Language::Rust => has(RUST_PRELUDE, module.split("::").next().unwrap_or(module)),
        Language::Java => {
            let module = format!("{module}.");
            JAVA_PLATFORM.iter().any(|start| module.starts_with(start))
        }
        _ => false,
    }
}

/// Whether the names by which a package is imported are certain: the ecosystem fixes them, or a table
/// has all of them.
pub(crate) fn is_certain(ecosystem: &str, package: &str) -> bool {
    let has = |table: &[(&str, &[&str])], key: &str| table.iter().any(|(name, _)| *name == key);
    match ecosystem {
        "npm" | "Go" => true,
        "PyPI" => has(PYTHON, &python_normal(package)),
        "crates.io" => has(RUST, package),
        "Maven" => has(JAVA, package),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_belongs_to_its_beginnings() {
        let is_of =
            |ecosystem, module, name| prefixes(ecosystem, module).contains(&key(ecosystem, name));
        for (ecosystem, module, name, expected) in [
            ("npm", "lodash/fp", "lodash", true),
            ("npm", "@a/b/c", "@a/b", true),
            ("npm", "lodash-es", "lodash", false),
            ("Go", "golang.org/x/net/html", "golang.org/x/net", true),
            ("Go", "golang.org/x/network", "golang.org/x/net", false),
            ("PyPI", "google.cloud.storage", "google-cloud-storage", true),
            ("PyPI", "a_b", "a", false),
            ("PyPI", "A_B.c", "a-b", true),
            ("crates.io", "serde_json::value", "serde_json", true),
            ("crates.io", "serde_json", "serde", false),
            ("Maven", "org.h2.tools", "org.h2", true),
            ("Maven", "org.h2x", "org.h2", false),
        ] {
            assert_eq!(is_of(ecosystem, module, name), expected, "{module} {name}");
        }
    }

    #[test]
    fn import_names_follow_the_ecosystem() {
        let none: [String; 0] = [];
        assert_eq!(import_names("crates.io", "a-b", &none), ["a_b"]);
        assert_eq!(
            import_names("crates.io", "a", &["c-d".to_owned()]),
            ["a", "c_d"]
        );
        assert_eq!(import_names("PyPI", "PyYAML", &none), ["yaml"]);
        assert_eq!(
            import_names("npm", "@a/b", &["x".to_owned()]),
            ["@a/b", "x"]
        );
        assert!(import_names("Maven", "a:b", &none).is_empty());
    }

    #[test]
    fn standard_modules_are_known() {
        assert!(is_standard(Language::Python, "os.path"));
        assert!(!is_standard(Language::Python, "yaml"));
        assert!(is_standard(Language::Rust, "u32"));
        assert!(is_standard(Language::Java, "java.util"));
        assert!(!is_standard(Language::Java, "javafoo.util"));
    }
}

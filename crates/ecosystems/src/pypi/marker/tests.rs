use super::*;

fn applies(marker: &str, python: &str) -> Option<Applies> {
    Marker::parse(marker)?.applies(&PythonRange::parse(python).unwrap())
}

/// The expected texts are those that uv 0.13 wrote for the same markers.
#[test]
fn markers_are_written_as_uv_does() {
    for (marker, expected) in [
        ("python_version < '3.11'", "python_full_version < '3.11'"),
        ("python_version == '3.9'", "python_full_version < '3.10'"),
        (
            "python_version == '3.10'",
            "python_full_version == '3.10.*'",
        ),
        ("python_version != '3.9'", "python_full_version >= '3.10'"),
        ("python_version < '4.0'", "python_full_version < '4'"),
        ("python_version <= '3.10'", "python_full_version < '3.11'"),
        ("python_version > '3.10'", "python_full_version >= '3.11'"),
        (
            "python_full_version < '3.10.2'",
            "python_full_version < '3.10.2'",
        ),
        (
            "python_full_version <= '3.11.0a6'",
            "python_full_version <= '3.11'",
        ),
        (
            "python_full_version == '3.10.1'",
            "python_full_version == '3.10.1'",
        ),
        (
            "python_version in '3.9 3.10'",
            "python_full_version < '3.11'",
        ),
        ("'3.11' > python_version", "python_full_version < '3.11'"),
        ("platform_system == \"Windows\"", "sys_platform == 'win32'"),
        (
            "sys_platform == 'win32' and python_version < '3.11'",
            "python_full_version < '3.11' and sys_platform == 'win32'",
        ),
        (
            "(python_version >= '3.10') and python_version < '3.12'",
            "python_full_version >= '3.10' and python_full_version < '3.12'",
        ),
        (
            "sys_platform == 'win32' or sys_platform == 'cygwin'",
            "sys_platform == 'cygwin' or sys_platform == 'win32'",
        ),
        (
            "sys_platform == 'win32' or python_version < '3.11'",
            "python_full_version < '3.11' or sys_platform == 'win32'",
        ),
        (
            "implementation_name == 'cpython' and platform_machine == 'x86_64'",
            "implementation_name == 'cpython' and platform_machine == 'x86_64'",
        ),
        (
            "platform_python_implementation != 'PyPy' and sys_platform == 'win32' and python_version<'3.12'",
            "python_full_version < '3.12' and platform_python_implementation != 'PyPy' and sys_platform == 'win32'",
        ),
        (
            "sys_platform == 'win32' and platform_system == 'Windows'",
            "sys_platform == 'win32'",
        ),
        (
            "python_version < '3.8' or os_name == 'nt'",
            "os_name == 'nt'",
        ),
    ] {
        let expected = Some(Applies::When(expected.to_owned()));
        assert_eq!(applies(marker, ">=3.9"), expected, "{marker}");
    }
}

#[test]
fn versions_outside_of_the_project_never_count() {
    for (marker, python, expected) in [
        ("python_version < '3.8'", ">=3.9", Applies::Never),
        ("python_version >= '3.8'", ">=3.9", Applies::Always),
        ("python_version >= '3'", ">=3.9", Applies::Always),
        ("", ">=3.9", Applies::Always),
        ("python_version >= '3.13'", ">=3.9,<3.13", Applies::Never),
        ("python_version < '3.14'", ">=3.9,<3.13", Applies::Always),
        (
            "sys_platform == 'a' and sys_platform == 'b'",
            ">=3.9",
            Applies::Never,
        ),
        (
            "python_version < '3.10' or python_version >= '3.10'",
            ">=3.9",
            Applies::Always,
        ),
    ] {
        assert_eq!(applies(marker, python), Some(expected), "{marker}");
    }
}

#[test]
fn unclear_markers_are_no_answer() {
    for marker in [
        "python_full_version != '3.10.1'",
        "os_name != 'nt' and platform_system == 'Linux'",
        "'linux' in sys_platform",
        "sys_platform not in 'a b'",
        "platform_version == 'c'",
        "implementation_version < '3'",
        "extra == 'a'",
        "extra != 'a'",
        "sys_platform == ",
        "sys_platform == 'a' or",
        "(sys_platform == 'a'",
        "sys_platform == 'a' sys_platform == 'a'",
        "sys_platform == 'it\"s'",
        "sys_platform != 'a' and sys_platform != 'b'",
        "sys_platform != 'a' or os_name == 'b'",
    ] {
        assert_eq!(applies(marker, ">=3.9"), None, "{marker}");
    }
    let deep = format!("{}sys_platform == 'a'{}", "(".repeat(99), ")".repeat(99));
    assert_eq!(applies(&deep, ">=3.9"), None);
    let wide = vec!["sys_platform == 'a'"; 99].join(" or ");
    assert_eq!(applies(&wide, ">=3.9"), None);
}

#[test]
fn platforms_that_together_are_all_do_not_count() {
    let platforms = |python: &str| {
        format!(
            "{python} and sys_platform == 'win32' or {python} and sys_platform == 'emscripten' or \
             {python} and sys_platform != 'emscripten' and sys_platform != 'win32'"
        )
    };
    let newer = platforms("python_full_version >= '3.12'");
    let whole = format!("{newer} or python_full_version == '3.11.*'");
    let conditions = |marker: &str| {
        let python = Marker::parse(marker)?.only_python()?;
        let parts = python.iter().flat_map(|one| one.conditions("v"));
        Some(parts.collect::<Vec<_>>().join(" and "))
    };
    assert_eq!(conditions(&newer).as_deref(), Some("v >= '3.12'"));
    assert_eq!(conditions(&whole).as_deref(), Some("v >= '3.11'"));
    assert_eq!(
        conditions("python_version < '3.10'").as_deref(),
        Some("v < '3.10'")
    );
    for marker in [
        "sys_platform == 'win32'".to_owned(),
        newer.replace("emscripten' or", "cygwin' or"),
        newer.replacen("3.12", "3.13", 1),
        format!("{newer} or os_name == 'nt'"),
        "extra == 'a'".to_owned(),
    ] {
        assert_eq!(conditions(&marker), None, "{marker}");
    }
}

#[test]
fn extras_part_a_marker() {
    let marker =
        Marker::parse("extra == 'A_b' and python_version < '3.10' or os_name == 'nt'").unwrap();
    let parts = marker.by_extra();
    let python = PythonRange::parse(">=3.9").unwrap();
    let text = |extra: &str| parts[extra].applies(&python);
    assert_eq!(parts.len(), 2);
    assert_eq!(text(""), Some(Applies::When("os_name == 'nt'".to_owned())));
    assert_eq!(
        text("a-b"),
        Some(Applies::When("python_full_version < '3.10'".to_owned()))
    );
}

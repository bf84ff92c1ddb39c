use crate::pypi::PyPi;
use crate::{EditError, RequirementEdit, Upgradable as _};

fn edited(path: &str, text: &str, from: &str, to: &str) -> Result<String, EditError> {
    let edit = RequirementEdit {
        name: "Shop_Core".to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
    };
    PyPi.edit_manifest(path, text, &edit)
}

/// Checks that every `OLD` of a manifest, and nothing else, is replaced.
fn assert_edited(path: &str, template: &str) {
    for ends in ["\n", "\r\n"] {
        let template = template.replace('\n', ends);
        let after = edited(path, &template.replace("OLD", ">=1.0"), ">=1.0", ">=1.2,<2");
        assert_eq!(after, Ok(template.replace("OLD", ">=1.2,<2")), "{path}");
    }
}

#[test]
fn lists_of_pyproject_are_edited() {
    assert_edited(
        "a/pyproject.toml",
        "\u{feff}[project]\nname = 'x'\ndependencies = [ # shop-core>=1.0\n  \"shop-coreOLD\",\n  'other>=1.0',\n]\n\
         [project.optional-dependencies]\nall = ['shop.core[a, b] OLD ; python_version>=\"3\"', \"shop-core>=2\"]\n\
         [dependency-groups]\ndev = [{ include-group = \"x\" }, \"SHOP-core (OLD)\"]\nx = []\n\
         [tool.uv]\nconstraint-dependencies = [\"shop-coreOLD\"]\noverride-dependencies = ['shop-coreOLD']\n\
         [tool.other]\ndependencies = [\"shop-core>=1.0\"]",
    );
}

#[test]
fn tables_of_poetry_are_edited() {
    assert_edited(
        "pyproject.toml",
        "[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\npython = \">=1.0\"\nshop-core = \"OLD\" # >=1.0\n\
         [tool.poetry.dev-dependencies]\nshop-core = { extras = [\"a\"], version = 'OLD' }\n\
         [tool.poetry.group.docs.dependencies]\nshop_core = [{ version = \"OLD\", python = \"<3\" }, { version = \"^2\", python = \">=3\" }]\n",
    );
}

#[test]
fn other_manifests_are_edited() {
    assert_edited(
        "Pipfile",
        "[scripts]\nshop-core = \">=1.0\"\n[packages]\nshop_core = \"OLD\"\n[dev-packages]\nShop-Core = {version = \"OLD\"}\n",
    );
    assert_edited(
        "setup.cfg",
        "[metadata]\nname = x\n[options]\ninstall_requires =\n  # shop-core>=1.0\n  shop-core OLD\n  b>=1.0\n\
         [options.extras_require]\na = shop-core[x]OLD; b\n[other]\nrequires = shop-core>=1.0\n",
    );
    assert_edited(
        "requirements/base.in",
        "# shop-core>=1.0\n-r x.in\nshop-coreOLD  # why\nshop-core[a]OLD ; sys_platform == 'win32'\nshop>=1.0",
    );
    assert_edited("requirements.txt", "shop-coreOLD\nb==1\n");
}

#[test]
fn a_requirement_without_versions_gets_some() {
    assert_eq!(
        edited("requirements.in", "shop-core[a] ; x == 'y'\n", "", ">=1.2"),
        Ok("shop-core[a]>=1.2 ; x == 'y'\n".to_owned())
    );
    assert_eq!(
        edited(
            "pyproject.toml",
            "[project]\ndependencies = ['shop-core']",
            "",
            ">=1.2"
        ),
        Ok("[project]\ndependencies = ['shop-core>=1.2']".to_owned())
    );
}

#[test]
fn what_is_not_exact_is_refused() {
    let list = "[project]\ndependencies = [\"shop-core>=1.0\"]\n";
    for to in [
        "",
        ">=1\"]",
        ">=1 ; x",
        ">=1 --pre",
        "@ https://h.invalid/a",
        ">=1\n",
    ] {
        let result = edited("pyproject.toml", list, ">=1.0", to);
        assert!(
            matches!(result, Err(EditError::Refused(_))),
            "{to}: {result:?}"
        );
    }
    for (path, text) in [
        (
            "pyproject.toml",
            "[project]\ndependencies = [\"shop-core\\u003e=1.0\"]\n",
        ),
        ("requirements.txt", "shop-core>=1.0 --hash=sha256:aa\n"),
        (
            "requirements.txt",
            "shop-core>=1.0 \\\n  --hash=sha256:aa\n",
        ),
    ] {
        let result = edited(path, text, ">=1.0", ">=2");
        assert!(
            matches!(result, Err(EditError::Refused(_))),
            "{text}: {result:?}"
        );
    }
    assert!(matches!(
        edited("pyproject.toml", "[project", ">=1.0", ">=2"),
        Err(EditError::Unreadable(_))
    ));
    assert!(matches!(
        edited("pyproject.toml", list, ">=1.1", ">=2"),
        Err(EditError::NotFound { .. })
    ));
}

#[test]
fn only_tables_of_poetry_lead_to_versions() {
    for (path, expected) in [
        (&["tool", "poetry", "dependencies", "a"][..], true),
        (
            &[
                "tool",
                "poetry",
                "group",
                "x",
                "dependencies",
                "a",
                "version",
            ],
            true,
        ),
        (&["tool", "poetry", "dependencies", "Python"], false),
        (&["tool", "poetry", "dependencies", "a", "url"], false),
        (&["project", "dependencies"], false),
        (&["tool", "poetry", "scripts", "a"], false),
    ] {
        assert_eq!(PyPi.is_requirement_key(path), expected, "{path:?}");
    }
}

use super::*;

/// A tree without lines, as text.
fn show(node: &Node<'_>) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("#{number}"),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(","))
        }
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                format!("{}@{}:{}@{}", key.name, key.line, show(value), value.line)
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
    }
}

fn reason<T: std::fmt::Debug>(result: Result<T, ParseError>) -> String {
    let error = result.unwrap_err();
    match error.line {
        Some(line) => format!("{line}: {}", error.reason),
        None => error.reason,
    }
}

#[test]
fn json_keeps_lines_and_spellings() {
    let tree = json("{\n \"a\": 1.10,\n \"b\":\n  [true, null, \"\\u0041\"]\n}").unwrap();
    assert_eq!(show(&tree), "{a@2:#1.10@2,b@3:[true,null,\"A\"]@4}");
    assert!(json("{\"a\": 1,}").is_err());
    assert!(json("{} // x").is_err());
    assert_eq!(
        show(&jsonc("{ // x\n \"a\": [1,],\n}").unwrap()),
        "{a@2:[#1]@2}"
    );
}

#[test]
fn yaml_keeps_lines_and_spellings() {
    let tree = yaml("a: 1.10\nb:\n  - true\n  - ~\n  - '~'\nc: {d: 0x10}\n").unwrap();
    assert_eq!(
        show(&tree),
        "{a@1:\"1.10\"@1,b@2:[\"true\",null,\"~\"]@3,c@6:{d@6:\"0x10\"@6}@6}"
    );
    assert_eq!(yaml_documents("---\na: 1\n---\nb: 2\n").unwrap().len(), 2);
}

fn settings(text: &str) -> Node<'_> {
    yaml_settings(text).unwrap().unwrap()
}

#[test]
fn settings_resolve_plain_scalars_only() {
    let root = settings("a: 1.50\nb: '1.5'\nc: true\nd: \"true\"\ne: ~\nf: |\n  7\n1: x\n");
    assert_eq!(
        show(&root),
        "{a@1:#1.50@1,b@2:\"1.5\"@2,c@3:true@3,d@4:\"true\"@4,e@5:null@5,f@6:\"7\\n\"@7,1@8:\"x\"@8}"
    );
    for text in ["", "# nothing\n", "---\n", "~"] {
        assert_eq!(yaml_settings(text), Ok(None), "{text:?}");
    }
}

#[test]
fn settings_merge_maps() {
    let root = settings(
        "a: &a { x: 1, y: 2 }\nb: &b { y: 3, z: 4 }\nc:\n  <<: [*a, *b]\n  x: 5\nd: { <<: *b }\n",
    );
    assert_eq!(show(root.get("c").unwrap()), "{x@5:#5@5,y@1:#2@1,z@2:#4@2}");
    assert_eq!(show(root.get("d").unwrap()), "{y@2:#3@2,z@2:#4@2}");
    assert_eq!(
        reason(yaml_settings("a: 1\nb: { <<: 2 }\n")),
        "2: has a merge key `<<` without a map"
    );
}

#[test]
fn settings_have_columns() {
    let root = settings("a: &x [1]\nbé: { c: \"d\" }\ne:\n  - *x\n");
    let (key, value) = root.entry("bé").unwrap();
    let inner = value.entry("c").unwrap();
    let alias = &root.get("e").unwrap().items()[0];
    assert_eq!((key.line, key.column, value.column), (2, 1, 5));
    assert_eq!((inner.0.column, inner.1.column), (7, 10));
    assert_eq!((alias.line, alias.column), (4, 5));

    for (text, line, column) in [
        ("a: 1\nb: [c\nd: e\n", 3, 2),
        ("a: 1\nb: 2\n a: 3\n", 3, 3),
        ("{ a: 1,\n  a: 2 }", 2, 3),
        ("a: 1\n--- \nb: 2\n", 2, 1),
    ] {
        let error = yaml_settings(text).unwrap_err();
        let at = (error.line, error.column);
        assert_eq!(at, (Some(line), Some(column)), "{text:?}: {error}");
    }
}

#[test]
fn settings_have_limits_of_their_own() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(yaml_settings(&deep(limits::MAX_SETTINGS_DEPTH)).is_ok());
    assert!(yaml_settings(&deep(limits::MAX_SETTINGS_DEPTH + 2)).is_err());

    let values = format!("[{}]", vec!["x"; limits::MAX_SETTINGS_VALUES].join(","));
    assert!(reason(yaml_settings(&values)).contains("more than 200000 values"));
    assert!(yaml(&values).is_ok());
}

#[test]
fn toml_keeps_lines() {
    let tree = toml("a = \"x\"\n[[b]]\nc = 1\n[[b]]\nc = true\n").unwrap();
    assert_eq!(show(tree.get("a").unwrap()), "\"x\"");

    let lines: Vec<u32> = tree
        .get("b")
        .unwrap()
        .items()
        .iter()
        .map(|item| item.line)
        .collect();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn xml_keeps_lines_text_and_attributes() {
    let tree = xml(
        "<?xml version=\"1.0\"?>\n<!-- c -->\n<a xmlns=\"urn:x\" k='1 &amp; 2'>\n <p:b>t&lt;<![CDATA[&]]>&#65;</p:b>\n <c/>\n</a>\n",
    )
    .unwrap();
    assert_eq!((tree.line, &*tree.name), (3, "a"));
    assert_eq!(tree.attribute("k"), Some("1 & 2"));
    assert_eq!(tree.namespace.as_deref(), Some("urn:x"));
    assert_eq!(tree.text_of("b"), Some("t<&A"));
    assert_eq!(tree.child("c").unwrap().line, 5);
    assert_eq!(tree.all("c").count(), 1);
}

#[test]
fn duplicate_keys_are_refused() {
    assert_eq!(
        reason(json("{\"a\":1,\n\"a\":2}")),
        "2: has the key `a` twice"
    );
    assert_eq!(
        reason(yaml("a: 1\nb: 2\na: 3\n")),
        "3: has the key `a` twice"
    );
    assert!(toml("a = 1\na = 2\n").is_err());

    let many: String = (0..20).map(|n| format!("k{n}: 1\n")).collect();
    assert_eq!(
        reason(yaml(&format!("{many}k7: 2\n"))),
        "21: has the key `k7` twice"
    );
    assert!(xml("<a k='1' k='2'/>").is_err());
}

#[test]
fn children_of_the_top_element_are_left_out() {
    let text = "<p:a> x <b><c k='1'/>text &lt;<a>1</a></b> y <c><b>2</b></c><b/></p:a>";
    let tree = xml_without(text, &["b"]).unwrap();
    assert_eq!((&*tree.name, tree.text.as_str()), ("a", "x  y"));
    let names: Vec<&str> = tree.children.iter().map(|child| &*child.name).collect();
    assert_eq!(names, ["c", "b"]);
    assert_eq!(tree.children[0].text_of("b"), Some("2"));

    for wrong in [
        "<a><b><c></b></a>",
        "<a><b>",
        "<a><b></a>",
        "<a><b><!DOCTYPE b></b></a>",
    ] {
        assert!(xml_without(wrong, &["b"]).is_err(), "{wrong}");
    }
    let deep = format!(
        "<a><b>{}{}</b></a>",
        "<c>".repeat(5_000),
        "</c>".repeat(5_000)
    );
    assert!(xml_without(&deep, &["b"]).is_err());
}

#[test]
fn the_last_of_duplicate_keys_counts_where_it_is_asked_for() {
    let text =
        "{\"o\": {\"a\": [1],\n\"b\": 2,\n\"a\": [3],\n\"\\u0061\": [3]}, // note\n\"o\": 4,\n}";
    let (root, duplicates) = jsonc_with_duplicates(text).unwrap();
    assert_eq!(root.get("o").and_then(Node::integer), Some(4));
    assert_eq!(root.entries().len(), 1);

    let found: Vec<_> = duplicates
        .iter()
        .map(|key| (key.line, key.counting_line, &*key.name, key.is_same))
        .collect();
    assert_eq!(
        found,
        [(1, 4, "a", false), (3, 4, "a", true), (1, 5, "o", false)]
    );
    assert!(json_with_duplicates(text).is_err(), "a comment is not JSON");
}

#[test]
fn deep_nesting_is_refused() {
    for depth in [200, 20_000] {
        assert!(json(&"[".repeat(depth)).is_err());
        assert!(json(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
        assert!(yaml(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
        assert!(yaml(&"- ".repeat(depth)).is_err());
        assert!(toml(&format!("a = {}{}", "[".repeat(depth), "]".repeat(depth))).is_err());
        assert!(xml(&format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth))).is_err());
    }
}

#[test]
fn yaml_aliases_are_bounded() {
    assert_eq!(
        show(&yaml("a: &x [1]\nb: *x\n").unwrap()),
        "{a@1:[\"1\"]@1,b@2:[\"1\"]@1}"
    );

    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }

    assert!(reason(yaml(&bomb)).contains("aliases written out"));

    let mut tower = "a0: &a0 [x]\n".to_owned();
    for level in 1..500 {
        tower.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }

    assert!(reason(yaml(&tower)).contains("nested deeper"));
    assert!(yaml("a: &a [*a]\n").is_err());

    // Few values with a long text: readers copy the texts that they keep.
    let text = "x".repeat(1024 * 1024);
    let long = format!("a: &a {text}\nb: [{}]\n", vec!["*a"; 40].join(","));

    assert!(reason(yaml(&long)).contains("is larger than 32 MiB with its aliases"));

    // Anchors around anchors: the value of each anchor is kept.
    let items = vec!["x"; 100_000].join(",");
    let nested: String = (0..100).map(|level| format!("&a{level} [")).collect();
    let nested = format!("{nested}{items}{}", "]".repeat(100));

    assert!(reason(yaml(&nested)).contains("values with its aliases written out"));
}

#[test]
fn xml_entities_are_refused() {
    let bomb = "<!DOCTYPE a [<!ENTITY x \"xx\">]>\n<a>&x;</a>";
    assert!(reason(xml(bomb)).contains("document type"));
    assert_eq!(
        reason(xml("<a>\n&x;</a>")),
        "2: uses the entity `&x;`, which is not supported"
    );
    assert!(xml("<a k='&x;'/>").is_err());
}

#[test]
fn what_does_not_end_is_refused() {
    for text in ["{\"a\": [1", "{", "[1,", "\"a"] {
        assert!(reason(json(text)).contains("truncated"), "{text}");
    }
    for text in ["<a><b></b>", "<a", "<a>", ""] {
        assert!(xml(text).is_err(), "{text}");
    }

    assert!(yaml("a: [1").is_err());
    assert!(yaml("").is_err());
    assert!(json("").is_err());
}

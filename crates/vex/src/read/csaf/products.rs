//! The product tree of a CSAF document (3.2.2): the packages that each product id refers to.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use patchgate_syntax::{Node, ParseError};

use super::super::text;
use crate::document::{Component, Target};
use crate::identity::PackageIdentity;
use crate::vers::Versions;

/// Most steps from a product to the products that it is part of.
const MAX_STEPS: usize = 16;

/// The products of a document, by their ids.
#[derive(Debug, Default)]
pub(super) struct Products {
    /// Products with identifiers of their own.
    plain: HashMap<String, Vec<Component>>,
    /// Products that are a combination: one product within another.
    parts: HashMap<String, Part>,
    /// Ids of the products in each group.
    groups: BTreeMap<String, Vec<String>>,
    /// The targets of each id that was resolved: consecutive lists often name the same products.
    found: RefCell<HashMap<String, Vec<Arc<Target>>>>,
}

/// A product within another one.
#[derive(Debug)]
struct Part {
    /// Id of the inner product.
    of: String,
    /// Id of the outer product.
    within: String,
    line: u32,
    /// Identifiers of the combination itself.
    own: Vec<Component>,
}

impl Products {
    pub(super) fn read(root: &Node<'_>) -> Result<Self, ParseError> {
        let mut products = Self::default();
        let Some(tree) = root.get("product_tree") else {
            return Ok(products);
        };

        for branch in tree.optional_list("branches")? {
            products.branch(branch, &Versions::Any)?;
        }
        for product in tree.optional_list("full_product_names")? {
            products.product(product, &Versions::Any)?;
        }
        for relationship in tree.optional_list("relationships")? {
            products.relationship(relationship)?;
        }
        for group in tree.optional_list("product_groups")? {
            let members = listed(group, "product_ids")?;
            products.groups.insert(
                group.need_text("group_id")?.to_owned(),
                members.into_iter().map(str::to_owned).collect(),
            );
        }

        Ok(products)
    }

    /// Adds a branch of the tree. Its versions apply to all products below it.
    fn branch(&mut self, branch: &Node<'_>, above: &Versions) -> Result<(), ParseError> {
        if !branch.is_map() {
            return Err(branch.unexpected("branches", "a branch"));
        }

        let name = text(branch, "name")?.unwrap_or_default();
        let versions = match text(branch, "category")?.as_deref() {
            Some("product_version") => Versions::One(name),
            Some("product_version_range") => Versions::range(&name),
            _ => above.clone(),
        };
        if let Some(product) = branch.get("product") {
            self.product(product, &versions)?;
        }
        for below in branch.optional_list("branches")? {
            self.branch(below, &versions)?;
        }

        Ok(())
    }

    fn product(&mut self, product: &Node<'_>, versions: &Versions) -> Result<(), ParseError> {
        let id = product.need_text("product_id")?;
        self.check_new(id, product)?;
        let identified = identified(product, versions)?;
        self.plain.insert(id.to_owned(), identified);
        Ok(())
    }

    fn relationship(&mut self, node: &Node<'_>) -> Result<(), ParseError> {
        let product = node.get("full_product_name").ok_or_else(|| {
            ParseError::new("has a relationship without `full_product_name`")
                .at_line(node.line as usize)
        })?;
        let id = product.need_text("product_id")?;
        self.check_new(id, product)?;
        let part = Part {
            of: node.need_text("product_reference")?.to_owned(),
            within: node.need_text("relates_to_product_reference")?.to_owned(),
            line: node.line,
            own: identified(product, &Versions::Any)?,
        };
        self.parts.insert(id.to_owned(), part);

        Ok(())
    }

    /// Rejects an id that was already used: it must identify one product (6.1.2).
    fn check_new(&self, id: &str, node: &Node<'_>) -> Result<(), ParseError> {
        if self.plain.contains_key(id) || self.parts.contains_key(id) {
            return Err(ParseError::new(format!("has the product `{id}` twice"))
                .at_line(node.line as usize));
        }
        Ok(())
    }

    /// The ids of the products that a node names, including those of its groups.
    pub(super) fn members<'a>(&'a self, node: &'a Node<'_>) -> Result<Vec<&'a str>, ParseError> {
        let mut members = listed(node, "product_ids")?;
        for group in listed(node, "group_ids")? {
            let of_group = self.groups.get(group).ok_or_else(|| {
                ParseError::new(format!(
                    "names the product group `{group}`, which it does not define"
                ))
                .at_line(node.line as usize)
            })?;
            members.extend(of_group.iter().map(String::as_str));
        }

        Ok(members)
    }

    /// The targets of a product id; empty if the product has no identifier that is supported.
    ///
    /// # Errors
    /// When the tree does not define the id (6.1.1), or a product is part of itself.
    pub(super) fn targets(&self, id: &str, line: u32) -> Result<Vec<Arc<Target>>, ParseError> {
        if let Some(found) = self.found.borrow().get(id) {
            return Ok(found.clone());
        }

        let targets = self.resolve(id, line, 0)?;
        let known: Vec<Arc<Target>> = targets
            .into_iter()
            .filter(|target| !target.component.purls.is_empty() || target.within.is_empty())
            .map(Arc::new)
            .collect();
        self.found.borrow_mut().insert(id.to_owned(), known.clone());

        Ok(known)
    }

    fn resolve(&self, id: &str, line: u32, steps: usize) -> Result<Vec<Target>, ParseError> {
        if let Some(components) = self.plain.get(id) {
            let alone = components.iter().map(|component| Target {
                component: component.clone(),
                within: Vec::new(),
            });
            return Ok(alone.collect());
        }

        let part = self.parts.get(id).ok_or_else(|| {
            ParseError::new(format!(
                "names the product `{id}`, which it does not define"
            ))
            .at_line(line as usize)
        })?;
        if steps == MAX_STEPS {
            return Err(ParseError::new(format!(
                "has the product `{id}`, which is part of itself, or of more than {MAX_STEPS} others"
            ))
            .at_line(part.line as usize));
        }

        let mut whole: Vec<Component> = Vec::new();
        for target in self.resolve(&part.within, part.line, steps + 1)? {
            whole.push(target.component);
            whole.extend(target.within);
        }

        if whole.is_empty() {
            // The outer product has no identifier, so no scanned product can match it. An empty
            // component keeps the statement from applying everywhere.
            whole.push(Component::default());
        }

        let mut targets = self.resolve(&part.of, part.line, steps + 1)?;
        targets.extend(part.own.iter().map(|component| Target {
            component: component.clone(),
            within: Vec::new(),
        }));
        for target in &mut targets {
            target.within.extend(whole.iter().cloned());
        }

        Ok(targets)
    }
}

/// The texts of a list under a key.
pub(super) fn listed<'a>(node: &'a Node<'_>, name: &str) -> Result<Vec<&'a str>, ParseError> {
    let items = node.optional_list(name)?.iter();
    items
        .map(|item| item.text().ok_or_else(|| item.unexpected(name, "a text")))
        .collect()
}

/// The identifiers of a product (3.1.3.3): its package URL, and its CPE and addresses, by which a user
/// can name it. CSAF 2.1 allows several package URLs, each of which identifies the product.
fn identified(product: &Node<'_>, versions: &Versions) -> Result<Vec<Component>, ParseError> {
    let Some(helper) = product.get("product_identification_helper") else {
        return Ok(Vec::new());
    };
    let mut names: Vec<String> = text(helper, "cpe")?.into_iter().collect();
    for uri in helper.optional_list("x_generic_uris")? {
        names.extend(text(uri, "uri")?);
    }

    let mut purls: Vec<String> = text(helper, "purl")?.into_iter().collect();
    purls.extend(listed(helper, "purls")?.into_iter().map(str::to_owned));
    let component = |purls| Component {
        purls,
        names: names.clone(),
        versions: versions.clone(),
    };

    let mut components = Vec::new();
    for text in &purls {
        let purl = PackageIdentity::parse(text).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            ParseError::new(format!("has `{shown}` instead of a package URL"))
                .at_line(helper.line as usize)
        })?;
        let mut component = component(vec![purl.clone()]);
        // The version of the package URL is more precise than that of the branch, which is free text.
        if !purl.version().is_empty() {
            component.versions = Versions::Any;
        }

        components.push(component);
    }

    if components.is_empty() && !names.is_empty() {
        components.push(component(Vec::new()));
    }

    Ok(components)
}

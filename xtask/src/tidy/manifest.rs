//! What a `Cargo.toml` says about dependencies, read with no more TOML than our manifests use.

/// One dependency of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's name, also where the manifest renames it.
    pub(crate) package: String,
    /// Only for tests, examples and benches.
    pub(crate) dev: bool,
    /// Line in the manifest, counted from 1.
    pub(crate) line: usize,
}

/// The dependencies of a manifest, in the order they are written.
pub(crate) fn dependencies(text: &str) -> Vec<Dependency> {
    let mut found: Vec<Dependency> = Vec::new();
    let mut section = Section::Other;
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(header) = line.strip_prefix('[') {
            section = Section::named(header.trim_end_matches(']'));
            if let Section::Own { package, dev } = &section {
                found.push(Dependency { package: package.clone(), dev: *dev, line: index + 1 });
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        match &section {
            Section::Table { dev } => {
                // `name = "1"`, `name = { … }` and `name.workspace = true` all begin with the name.
                let name = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
                let package = renamed(value).unwrap_or(name);
                found.push(Dependency { package: package.to_owned(), dev: *dev, line: index + 1 });
            }
            Section::Own { .. } if key.trim() == "package" => {
                if let Some(last) = found.last_mut() {
                    last.package = value.trim().trim_matches('"').to_owned();
                }
            }
            Section::Own { .. } | Section::Other => {}
        }
    }
    found
}

enum Section {
    /// `[dependencies]`, `[dev-dependencies]`, `[build-dependencies]`, also below `[target.….…]`.
    Table {
        dev: bool,
    },
    /// `[dependencies.name]`
    Own {
        package: String,
        dev: bool,
    },
    Other,
}

impl Section {
    fn named(header: &str) -> Section {
        // The name of a target may hold dots, so look from the end.
        let tables = [("dev-dependencies", true), ("build-dependencies", false), ("dependencies", false)];
        for (table, dev) in tables {
            if header == table || header.starts_with("target.") && header.ends_with(&format!(".{table}")) {
                return Section::Table { dev };
            }
            if let Some(package) = header.strip_prefix(&format!("{table}.")) {
                return Section::Own { package: package.trim_matches('"').to_owned(), dev };
            }
        }
        Section::Other
    }
}

/// `NAME` of `{ package = "NAME", … }`.
fn renamed(value: &str) -> Option<&str> {
    let (_, after) = value.split_once("package")?;
    let (_, quoted) = after.trim_start().strip_prefix('=')?.split_once('"')?;
    quoted.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::dependencies;

    #[test]
    fn every_way_to_write_a_dependency_is_seen() {
        let text = r#"
[package]
name = "x"

[dependencies]
plain = "1"           # why
table = { version = "1", features = ["a"] }
inherited.workspace = true
"quoted" = "1"
nick = { package = "real", version = "1" }

[dependencies.own]
version = "1"

[dependencies.alias]
package = "true-name"

[dev-dependencies]
tested = "1"

[target.'cfg(target_os = "linux")'.dependencies]
linux = "1"

[lints]
workspace = true
"#;
        let names: Vec<String> = dependencies(text)
            .into_iter()
            .map(|found| if found.dev { format!("{} (dev)", found.package) } else { found.package })
            .collect();
        let expected = ["plain", "table", "inherited", "quoted", "real", "own", "true-name", "tested (dev)", "linux"];
        assert_eq!(names, expected);
    }
}

//! The rooms of the house and the arrows between them: which crate may use which, and which crates of others.
//!
//! The table below is the only place that says so. The manifests are held against it, and docs/ARCHITECTURE.md shows it.

use std::path::Path;

use super::Fault;
use super::manifest::dependencies;
use super::tree::Tree;

/// The page that shows the table.
pub(crate) const MAP: &str = "docs/ARCHITECTURE.md";

const DRAWING_BEGINS: &str = "<!-- arrows: written by `cargo xtask codegen` from xtask/src/tidy/arrows.rs -->";
const DRAWING_ENDS: &str = "<!-- end of arrows -->";

/// One crate below `crates/`.
pub(crate) struct Room {
    /// Its folder; its package is `stepwell-NAME`.
    pub(crate) name: &'static str,
    /// Rooms it may use. All of them stand above it in the table, so that no arrow can point up.
    uses: &'static [&'static str],
    /// Crates of others it may use.
    outside: Outside,
    /// Crates of others its tests may use, beside those.
    outside_tests: &'static [&'static str],
}

/// Which crates of others a room may use.
enum Outside {
    /// A pure room: these alone. It also has no clock, chance, threads, files, sockets or processes.
    Only(&'static [&'static str]),
    /// A leaf that owns the door to files and needs these alone. Clock, chance and threads stay banned.
    Files(&'static [&'static str]),
    /// A leaf that owns a door to the outside. Licences and sources are still held by deny.toml.
    Any,
}

const DIGESTS_AND_PATTERNS: Outside = Outside::Only(&["regex", "md-5", "sha1", "sha2", "base64"]);

/// Every room, lowest first.
pub(crate) const ROOMS: &[Room] = &[
    // Names of bugs, for a test of the simulator. Nothing of it is in a program that is not built to show them.
    Room { name: "planted", uses: &[], outside: Outside::Only(&[]), outside_tests: &[] },
    Room { name: "json", uses: &[], outside: Outside::Only(&[]), outside_tests: &[] },
    Room { name: "spec", uses: &["json"], outside: Outside::Only(&[]), outside_tests: &[] },
    Room { name: "jsonpath", uses: &["json"], outside: DIGESTS_AND_PATTERNS, outside_tests: &[] },
    // The crate whose behaviour ours is compared with stands beside the rooms, in differential/, so that only who compares
    // compiles it.
    Room { name: "jsonata", uses: &["json"], outside: DIGESTS_AND_PATTERNS, outside_tests: &[] },
    Room {
        name: "asl",
        uses: &["json", "spec", "jsonpath", "jsonata"],
        // Reads the authoring format that is not JSON.
        outside: Outside::Only(&["saphyr-parser"]),
        outside_tests: &[],
    },
    Room {
        name: "items",
        uses: &["json", "spec", "asl"],
        // Rows of text, and files that are packed.
        outside: Outside::Only(&["csv-core", "miniz_oxide", "crc32fast"]),
        outside_tests: &[],
    },
    Room {
        name: "interpreter",
        uses: &["planted", "json", "spec", "jsonpath", "jsonata", "asl"],
        outside: Outside::Only(&[]),
        outside_tests: &[],
    },
    Room {
        name: "engine",
        uses: &["planted", "json", "spec", "asl", "interpreter"],
        outside: Outside::Only(&[]),
        outside_tests: &[],
    },
    Room {
        name: "store",
        uses: &["planted", "json", "spec"],
        outside: Outside::Files(&["crc32fast", "lz4_flex", "redb"]),
        // Stands on the store's own ports.
        outside_tests: &["stepwell-sim-disk"],
    },
    Room {
        name: "protocol",
        uses: &["json", "spec"],
        // The two formats that are not JSON, and the packing of the models.
        outside: Outside::Only(&["base64", "quick-xml", "minicbor", "miniz_oxide", "crc32fast", "hmac", "sha2"]),
        outside_tests: &[],
    },
    Room {
        name: "integrations",
        uses: &["json", "spec", "asl", "items", "interpreter", "protocol"],
        outside: Outside::Only(&[]),
        outside_tests: &[],
    },
    Room {
        name: "services",
        uses: &["planted", "json", "spec", "interpreter", "store", "protocol"],
        outside: Outside::Only(&["base64", "hmac", "sha2", "md-5"]),
        outside_tests: &[],
    },
    // The database it stands on is a large library with a C compiler behind it: a leaf, so that nobody else compiles it.
    Room {
        name: "dynamodb",
        uses: &["json", "spec", "interpreter", "protocol"],
        outside: Outside::Any,
        outside_tests: &[],
    },
    Room {
        name: "lambda",
        uses: &["json", "spec", "protocol"],
        // Runs processes and serves them their events.
        outside: Outside::Any,
        outside_tests: &[],
    },
    Room {
        name: "api",
        uses: &["planted", "json", "spec", "asl", "items", "interpreter", "engine", "store"],
        // Verifies signatures and seals page tokens.
        outside: Outside::Only(&["base64", "hmac", "sha2", "subtle"]),
        outside_tests: &[],
    },
    Room { name: "s3", uses: &["json", "spec", "protocol"], outside: Outside::Any, outside_tests: &[] },
    Room {
        name: "server",
        uses: &[
            "json",
            "spec",
            "asl",
            "interpreter",
            "engine",
            "api",
            "store",
            "protocol",
            "integrations",
            "services",
            "dynamodb",
            "lambda",
            "s3",
        ],
        outside: Outside::Any,
        outside_tests: &[],
    },
    // Measures over HTTP what anybody may, and has its clients, child processes and clock to itself.
    Room { name: "bench", uses: &["json", "spec", "protocol"], outside: Outside::Any, outside_tests: &[] },
    Room {
        name: "cli",
        uses: &["json", "spec", "jsonpath", "jsonata", "asl", "interpreter", "engine", "protocol", "server", "bench"],
        outside: Outside::Any,
        outside_tests: &[],
    },
];

impl Room {
    /// The names of the pure rooms.
    pub(crate) fn pure() -> impl Iterator<Item = &'static str> {
        ROOMS.iter().filter(|room| matches!(room.outside, Outside::Only(_))).map(|room| room.name)
    }

    fn may_use(&self, package: &str, in_tests: bool) -> Result<(), String> {
        if in_tests && self.outside_tests.contains(&package) {
            return Ok(());
        }
        if let Some(other) = package.strip_prefix("stepwell-") {
            return match self.uses.contains(&other) {
                true => Ok(()),
                false => Err(format!("`{}` may not use `{other}`: arrows point down only", self.name)),
            };
        }
        match &self.outside {
            Outside::Any => Ok(()),
            Outside::Only(allowed) | Outside::Files(allowed) if allowed.contains(&package) => Ok(()),
            Outside::Only(_) => Err(format!(
                "`{}` may not use the crate `{package}`: it stands below the engine, which knows only JSON",
                self.name
            )),
            Outside::Files(_) => Err(format!("`{}` may not use the crate `{package}`", self.name)),
        }
    }
}

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for room in ROOMS {
        let path = format!("crates/{}/Cargo.toml", room.name);
        let Some(text) = tree.text(&path) else {
            faults.push(Fault::of(&path, "the table of arrows names a room that is not there"));
            continue;
        };
        for dependency in dependencies(text) {
            if let Err(reason) = room.may_use(&dependency.package, dependency.dev) {
                let hint = "; the table is in xtask/src/tidy/arrows.rs";
                faults.push(Fault::at(&path, dependency.line, format!("{reason}{hint}")));
            }
        }
        let own_lints = format!("crates/{}/clippy.toml", room.name);
        if !matches!(room.outside, Outside::Any) && tree.holds(&own_lints) {
            faults.push(Fault::of(&own_lints, "this crate lives under the bans of the root's clippy.toml"));
        }
    }
    for (path, _) in tree.ending("/Cargo.toml") {
        let folder = path.strip_prefix("crates/").and_then(|rest| rest.strip_suffix("/Cargo.toml"));
        if let Some(folder) = folder.filter(|folder| !ROOMS.iter().any(|room| room.name == *folder)) {
            faults.push(Fault::of(path, format!("room `{folder}` has no row in xtask/src/tidy/arrows.rs")));
        }
    }
    match tree.text(MAP) {
        Some(page) if drawn_into(page).as_deref() == Ok(page) => {}
        Some(page) => match drawn_into(page) {
            Ok(_) => faults.push(Fault::of(MAP, "the arrows are not current: run `cargo xtask codegen`")),
            Err(reason) => faults.push(Fault::of(MAP, reason)),
        },
        None => faults.push(Fault::of(MAP, "the map of the house is missing")),
    }
}

/// Writes the drawing into the page.
pub(crate) fn draw_into(file: &Path) -> Result<(), String> {
    let tell = |error: std::io::Error| format!("{}: {error}", file.display());
    let page = std::fs::read_to_string(file).map_err(tell)?;
    let drawn = drawn_into(&page)?;
    if drawn == page { Ok(()) } else { std::fs::write(file, drawn).map_err(tell) }
}

fn drawn_into(page: &str) -> Result<String, String> {
    let halves = page.split_once(DRAWING_BEGINS).and_then(|(above, rest)| {
        let (_, below) = rest.split_once(DRAWING_ENDS)?;
        Some((above, below))
    });
    match halves {
        Some((above, below)) => Ok(format!("{above}{DRAWING_BEGINS}\n\n{}\n{DRAWING_ENDS}{below}", drawing())),
        None => Err(format!("no place for the arrows: `{DRAWING_BEGINS}` and `{DRAWING_ENDS}` must stand in it")),
    }
}

/// The table as Markdown, highest room first, as a house is drawn.
fn drawing() -> String {
    let mut text = String::from("| crate | may use | crates of others |\n| --- | --- | --- |\n");
    for room in ROOMS.iter().rev() {
        let uses = if room.uses.is_empty() { "–".to_owned() } else { room.uses.join(", ") };
        let mut outside = match &room.outside {
            Outside::Any => "as a leaf needs".to_owned(),
            Outside::Only([]) => "none".to_owned(),
            Outside::Only(names) | Outside::Files(names) => names.join(", "),
        };
        if !room.outside_tests.is_empty() {
            outside.push_str(&format!("; in tests {}", room.outside_tests.join(", ")));
        }
        text.push_str(&format!("| `{}` | {uses} | {outside} |\n", room.name));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{DRAWING_BEGINS, DRAWING_ENDS, ROOMS, drawn_into};

    fn check(room: &str, package: &str, in_tests: bool, allowed: bool) {
        let room = ROOMS.iter().find(|known| known.name == room).expect("a room of the table");
        assert_eq!(room.may_use(package, in_tests).is_ok(), allowed, "{} -> {package}", room.name);
    }

    #[test]
    fn arrows_point_down_only() {
        for (index, room) in ROOMS.iter().enumerate() {
            for used in room.uses {
                let below = ROOMS[..index].iter().any(|lower| lower.name == *used);
                assert!(below, "{} -> {used} does not point down", room.name);
            }
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_refused() {
        check("interpreter", "stepwell-asl", false, true);
        check("asl", "stepwell-interpreter", false, false);
        check("jsonpath", "stepwell-jsonata", false, false);
        check("engine", "tokio", false, false);
        check("engine", "serde_json", true, false);
        check("jsonata", "regex", true, true);
        check("jsonata", "jsonata-core", true, false);
        check("store", "redb", false, true);
        check("store", "serde_json", false, false);
        check("store", "stepwell-cli", false, false);
        check("cli", "anything", false, true);
    }

    #[test]
    fn drawing_twice_changes_nothing() {
        let page = format!("# Map\n\n{DRAWING_BEGINS}\nold\n{DRAWING_ENDS}\n\nmore\n");
        let once = drawn_into(&page).expect("a page with a place for it");
        assert!(once.contains("| `engine` | planted, json, spec, asl, interpreter | none |"));
        assert!(once.ends_with("\n\nmore\n"));
        assert_eq!(drawn_into(&once).as_deref(), Ok(once.as_str()));
        assert!(drawn_into("# Map").is_err());
    }
}

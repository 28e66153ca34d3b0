//! The rules of this repository, read from the folder beside the crates; the invented ones of the demo left out.
#![allow(dead_code)]

use rulebook::book::{Rulebook, Source, loads};
use std::{fs, path::Path};

pub fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut out = Vec::new();
    read(&root, &root, &mut out);
    out
}

fn read(folder: &Path, root: &Path, out: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("demo") {
            read(&path, root, out);
        } else if path.extension().is_some_and(|x| x == "md") {
            let name: Vec<_> = path
                .strip_prefix(root)
                .unwrap()
                .components()
                .map(|c| c.as_os_str().to_string_lossy())
                .collect();
            out.push(Source { path: name.join("/"), text: fs::read_to_string(&path).unwrap() });
        }
    }
}

pub fn parse(sources: Vec<Source>) -> Rulebook {
    let (book, findings) = Rulebook::parse(sources);
    assert!(loads(&findings), "{findings:#?}");
    book
}

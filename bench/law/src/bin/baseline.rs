use decide::engine::Engine;
use model::{AsOf, transfer::Transfer, fact::{Said,Spoken}};
use rulebook::book::{Rulebook, Source};
use std::{fs, path::Path, time::Instant};
fn read(folder: &Path, root: &Path, out: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("demo") { read(&path, root, out); }
        else if path.extension().is_some_and(|x| x == "md") {
            out.push(Source { path: path.strip_prefix(root).unwrap().to_string_lossy().into(), text: fs::read_to_string(&path).unwrap() });
        }
    }
}
fn main() {
    let root = std::env::args().nth(1).unwrap();
    let mut s = Vec::new(); read(Path::new(&root), Path::new(&root), &mut s);
    let t = Instant::now();
    let (book, f) = Rulebook::parse(s);
    println!("parse {:?} findings {} layers {} heads {} measures {} cases {}", t.elapsed(), f.len(), book.layers.len(), book.heads().len(), book.measures.len(), book.cases.len());
    let day = AsOf::then("2026-11-22".parse().unwrap());
    let t = Instant::now();
    let table = decide::table::Table::compile(&book, day).unwrap();
    println!("compile {:?} nodes, axes {:?} boundaries {}", t.elapsed(), table.size(), book.boundaries().len());
    for l in &table.layers { let law = l.law(); println!("  {} axes {} nodes {} class {} refuses {}", l.id, l.linked.unit.axes.list.len(), l.linked.unit.diagram.len(), l.linked.unit.diagram.size(law.class), l.linked.unit.diagram.size(law.refuses)); }
    let mut e = Engine::new(book.clone());
    let t = Instant::now();
    for d in book.boundaries() { e.table(AsOf::then(d)).unwrap(); }
    println!("all boundaries {:?} units {} bytes {}", t.elapsed(), e.units().len(), e.units().bytes());
    let t = Instant::now();
    let mut e2 = e.revised(book.clone());
    println!("revise {:?}", t.elapsed());
    let t = Instant::now();
    e2.table(day).unwrap();
    println!("table with units {:?}", t.elapsed());
    let mut e = Engine::new(book.clone());
    e.table(day).unwrap();
    let bounds: Vec<_> = book.cases.iter().filter_map(|c| book.bind(&Transfer::single(c.given.iter().cloned())).ok()).collect();
    let t = Instant::now();
    for c in &book.cases { let _ = book.bind(&Transfer::single(c.given.iter().cloned())); }
    println!("bind each {:?}", t.elapsed()/book.cases.len() as u32);
    let t = Instant::now();
    for b in &bounds { let _ = e.verdict(b, day); }
    println!("verdict each {:?}", t.elapsed()/bounds.len() as u32);
    let t = Instant::now();
    for b in &bounds { let _ = e.decide(b, day); }
    println!("decide each {:?}", t.elapsed()/bounds.len() as u32);
    let places: Vec<String> = book.vocabulary.places.keys().cloned().collect();
    let t = Instant::now();
    for p in &places { let b = book.bind(&Transfer::single(vec![("exporter.place".to_string(), Said::claim(Spoken::Word("JP".into()))),("recipient.place".to_string(), Said::claim(Spoken::Word(p.clone()))),("data.categories".to_string(), Said::claim(Spoken::Words(vec!["contact".into()])))])).unwrap(); let _ = e.decide(&b, day); }
    println!("to-all {:?}", t.elapsed());
    println!("{}", fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap());
}

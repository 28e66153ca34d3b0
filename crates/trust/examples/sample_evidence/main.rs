//! Writes a sample evidence bundle of an invented delivery, and forgeries of it, into a folder.
//!
//! `cargo run -p trust --example sample_evidence -- DIR` gives `good.asice`, `data.csv`, `anchors.pem`, `log.policy`,
//! `forged/STEP.NAME.asice`, each with our own report beside it, and the loose parts that OpenSSL is tried on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kit::{LogKind, World};
use model::{Digest, Instant};
use trust::timestamp::{Request, grant};
use trust::verify::{Anchors, Inputs, Report, verify};

fn main() -> std::io::Result<()> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "sample_evidence".into());
    let dir = Path::new(&dir);
    fs::create_dir_all(dir.join("forged"))?;
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
    let world = World::new(kit::ROOT, Instant(millis));
    let files = kit::files(&world, LogKind::Honest);
    let good = kit::bundle(files.clone(), &world, &world);
    fs::write(dir.join("anchors.pem"), world.root.to_pem())?;
    fs::write(dir.join("other-anchors.pem"), World::new(kit::OTHER_ROOT, world.now).root.to_pem())?;
    fs::write(dir.join("log.policy"), kit::policy())?;
    fs::write(dir.join("data.csv"), kit::data())?;
    for (name, certificate) in
        [("sender", &world.sender), ("receiver", &world.receiver), ("stamper", &world.stamper)]
    {
        fs::write(dir.join(format!("{name}.pem")), certificate.to_pem())?;
    }
    fs::write(dir.join("crl.pem"), world.crl.to_pem())?;
    let request = Request::new(Digest::of(&kit::data()), [5; 16]);
    fs::write(dir.join("request.tsq"), request.to_der())?;
    fs::write(dir.join("response.tsr"), grant(&world.stamp(&kit::data())))?;
    for name in ["manifest.json", "manifest.p7s", "manifest.tst"] {
        fs::write(dir.join(name), &files[name])?;
    }
    write(dir, "good", &good, &world)?;
    for (name, step, container) in kit::forgeries(&world) {
        write(&dir.join("forged"), &format!("{step}.{name}"), &container, &world)?;
    }
    for (name, container) in kit::changed_bytes(&world) {
        let step = report(&container, &world).failed_at().expect("a changed byte fails");
        write(&dir.join("forged"), &format!("{}.{name}", step.code()), &container, &world)?;
    }
    Ok(())
}

fn report(container: &[u8], world: &World) -> Report {
    let anchors = Anchors { certificates: vec![world.root.clone()], log: Some(kit::parsed_policy()) };
    let data = kit::data();
    let mut data = data.as_slice();
    verify(Inputs { container, anchors: &anchors, crls: &[], data: Some(&mut data), now: world.now })
}

fn write(dir: &Path, name: &str, container: &[u8], world: &World) -> std::io::Result<()> {
    fs::write(dir.join(format!("{name}.asice")), container)?;
    fs::write(dir.join(format!("{name}.report")), report(container, world).to_string())
}

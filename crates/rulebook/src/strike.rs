//! The same rulebook without something: what if a rule, a list entry or a decision fell?

use crate::book::Rulebook;

/// Text for comparison: lower case, letters and digits only.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Rulebook {
    /// Takes out every way through, exemption and list entry whose id is `what` (or begins with it and a dot), or whose citation
    /// contains it; what forbids or reaches falls only by its own id, so that a wide word never gives false comfort.
    /// Returns the ids struck, none if nothing matched.
    pub fn strike(&mut self, what: &str) -> Vec<String> {
        let wanted = plain(what);
        if wanted.is_empty() {
            return Vec::new();
        }
        // `EU 2023/1795` means Decision (EU) 2023/1795: spelling and brackets do not matter.
        let hit = |id: &str, cites: &str| id == what || id.starts_with(&format!("{what}.")) || plain(cites).contains(&wanted);
        let mut struck = Vec::new();
        for list in self.lists.values_mut() {
            list.entries.retain(|e| keep(&mut struck, &e.head.id, hit(&e.head.id, &e.head.cites)));
        }
        self.scopes.retain(|b| keep(&mut struck, &b.head.id, b.head.id == what));
        self.outs.retain(|b| keep(&mut struck, &b.head.id, hit(&b.head.id, &b.head.cites)));
        self.bars.retain(|b| keep(&mut struck, &b.head.id, b.head.id == what));
        self.gates.retain(|b| keep(&mut struck, &b.head.id, b.head.id == what));
        self.routes.retain(|b| keep(&mut struck, &b.head.id, hit(&b.head.id, &b.head.cites)));
        self.obligations.retain(|b| keep(&mut struck, &b.head.id, b.head.id == what));
        self.measures.retain(|b| keep(&mut struck, &b.id, b.id == what));
        struck
    }
}

fn keep(struck: &mut Vec<String>, id: &str, hit: bool) -> bool {
    if hit {
        struck.push(id.to_string());
    }
    !hit
}

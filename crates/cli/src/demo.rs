//! The demo's world and its telling: "the day the law changed". No step is scripted; each says what must follow from the rulebook.

pub mod flow;
pub mod forge;
pub mod party;
pub mod scenes;
pub mod stage;
pub mod troupe;
pub mod world;

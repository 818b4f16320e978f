//! The command `stepwell`.

fn main() {}

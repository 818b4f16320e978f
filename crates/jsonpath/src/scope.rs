//! What an expression can see: the documents paths start from, and chance.

use stepwell_json::Json;

/// What an expression can see while it is evaluated.
pub trait Scope {
    /// The document `$` names.
    fn input(&self) -> &Json;

    /// The context object, which `$$` names. Only asked for by expressions that have such a path.
    fn context(&self) -> Json;

    /// The value of the variable `$name`, if it is assigned here.
    fn variable(&self, name: &str) -> Option<Json>;

    /// 64 fresh random bits. Only `States.UUID`, and `States.MathRandom` without a seed, draw.
    fn draw(&self) -> u64;
}

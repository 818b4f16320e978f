//! Small changes to inputs, drawn from a seed.

/// Longest input made. Long enough for every bound that is counted in levels, short enough for thousands of tries a second.
const INPUT_BYTES_MAX: usize = 8 << 10;

/// Numbers at which programs go wrong.
const EDGES: [&str; 12] =
    ["0", "-1", "1", "255", "65536", "2147483647", "2147483648", "9007199254740993", "1e308", "1e-324", "0.1", "-0"];

/// A source of numbers that depends on its seed alone (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The source that begins with this seed.
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        match bound {
            0 => 0,
            bound => (self.draw() % bound as u64) as usize,
        }
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// An input made from one of the pool by one to eight changes.
pub fn mutate(pool: &[Vec<u8>], dictionary: &[&str], chance: &mut Chance) -> Vec<u8> {
    let mut input = chance.pick(pool).cloned().unwrap_or_default();
    // Mostly few changes: an input that is nearly right reaches deeper than noise.
    let changes = 1 << chance.below(4);
    for _ in 0..changes {
        change(&mut input, pool, dictionary, chance);
        input.truncate(INPUT_BYTES_MAX);
    }
    input
}

fn change(input: &mut Vec<u8>, pool: &[Vec<u8>], dictionary: &[&str], chance: &mut Chance) {
    let at = chance.below(input.len() + 1);
    match chance.below(12) {
        0 => flip_bit(input, chance),
        1 => {
            let byte = chance.draw() as u8;
            input.insert(at, byte);
        }
        2 | 3 => {
            let range = some_range(input, chance);
            input.drain(range);
        }
        4 => {
            let range = some_range(input, chance);
            let copy = input[range].to_vec();
            insert(input, at, &copy);
        }
        5 => repeat(input, chance),
        6 => splice(input, pool, chance),
        7 => {
            let edge = EDGES[chance.below(EDGES.len())];
            replace_number(input, edge, chance);
        }
        8 => {
            let range = some_range(input, chance);
            if let Some(token) = chance.pick(dictionary) {
                input.splice(range, token.bytes());
            }
        }
        _ => {
            if let Some(token) = chance.pick(dictionary) {
                insert(input, at, token.as_bytes());
            }
        }
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

fn flip_bit(input: &mut [u8], chance: &mut Chance) {
    let at = chance.below(input.len());
    let bit = chance.below(8);
    if let Some(byte) = input.get_mut(at) {
        *byte ^= 1 << bit;
    }
}

/// A range of the input, short more often than long.
fn some_range(input: &[u8], chance: &mut Chance) -> std::ops::Range<usize> {
    let start = chance.below(input.len() + 1);
    let longest = (input.len() - start).min(1 << chance.below(8));
    start..start + chance.below(longest + 1)
}

/// A piece many times over: what nests, nests deep.
fn repeat(input: &mut Vec<u8>, chance: &mut Chance) {
    let range = some_range(input, chance);
    let piece = input[range.clone()].to_vec();
    if piece.is_empty() {
        return;
    }
    let times = (1 << chance.below(12)).min(INPUT_BYTES_MAX / piece.len());
    insert(input, range.end, &piece.repeat(times));
}

/// The beginning of this input and the end of another.
fn splice(input: &mut Vec<u8>, pool: &[Vec<u8>], chance: &mut Chance) {
    let Some(other) = chance.pick(pool) else { return };
    let keep = chance.below(input.len() + 1);
    let from = chance.below(other.len() + 1);
    input.truncate(keep);
    input.extend_from_slice(&other[from..]);
}

/// One run of digits becomes another number.
fn replace_number(input: &mut Vec<u8>, number: &str, chance: &mut Chance) {
    let from = chance.below(input.len() + 1);
    let Some(start) = input[from..].iter().position(u8::is_ascii_digit).map(|at| from + at) else { return };
    let digits = input[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    input.splice(start..start + digits, number.bytes());
}

#[cfg(test)]
mod tests {
    use super::{Chance, INPUT_BYTES_MAX, mutate};

    #[test]
    fn the_same_seed_makes_the_same_inputs() {
        let pool = [b"{\"a\": 12}".to_vec(), b"[true]".to_vec()];
        let inputs = |seed| {
            let mut chance = Chance::new(seed);
            (0..1000).map(|_| mutate(&pool, &["null"], &mut chance)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
        assert!(inputs(7).iter().all(|input| input.len() <= INPUT_BYTES_MAX));
    }

    #[test]
    fn an_empty_pool_still_makes_inputs() {
        let mut chance = Chance::new(1);
        assert!((0..100).map(|_| mutate(&[], &["x"], &mut chance)).any(|input| !input.is_empty()));
    }
}

//! Every request and response is read and written without loss.

use stepwell_spec::{Action, Request, Response};

use crate::chance::Chance;
use crate::samples::{full, sample};

#[test]
fn every_shape_round_trips() {
    for (seed, &action) in Action::ALL.iter().enumerate() {
        let mut chance = Chance::new(seed as u64 + 1);
        let facts = action.facts();
        for round in 0..200 {
            let draw =
                |shape, chance: &mut Chance| if round == 0 { full(shape, chance) } else { sample(shape, chance) };
            let json = draw(facts.request, &mut chance);
            let request = Request::from_json(action, &json).unwrap_or_else(|| panic!("{}: {json}", facts.name));
            assert!(request.to_json().is_identical(&json), "{}: {json}\n{}", facts.name, request.to_json());
            assert_eq!(Request::from_json(action, &request.to_json()), Some(request.clone()));
            assert_eq!(request.action(), action);

            let json = draw(facts.response, &mut chance);
            let response = Response::from_json(action, &json).unwrap_or_else(|| panic!("{}: {json}", facts.name));
            assert!(response.to_json().is_identical(&json), "{}: {json}\n{}", facts.name, response.to_json());
            assert_eq!(response.action(), action);
        }
    }
}

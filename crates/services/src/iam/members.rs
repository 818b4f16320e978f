//! Users of groups, and the role of an instance profile.

use stepwell_json::Json;

use super::entities::Kind;
use super::{Iam, Outcome, no_such_entity, page_of};
use crate::answers::Refusal;
use crate::input::Input;
use crate::services::Request;

impl Iam {
    /// Puts a member where it belongs: a user into a group, a role into an instance profile, which has one at most.
    pub(super) fn add_member(&mut self, to: Kind, member: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let whole = self.found(to, request, input)?;
        let name = self.found(member, request, input)?.name.clone();
        if to == Kind::Profile && !whole.members.is_empty() {
            let message = "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1";
            return Err(Refusal::new("LimitExceededException", message).with_status(409));
        }
        self.found_mut(to, request, input)?.members.insert(name);
        Ok(Json::empty_object())
    }

    pub(super) fn remove_member(
        &mut self,
        from: Kind,
        member: Kind,
        request: &Request<'_>,
        input: Input<'_>,
    ) -> Outcome {
        let name = Iam::name_in(member, input)?;
        let whole = self.found(from, request, input)?;
        if !whole.members.contains(name) {
            let (member, from) = (member.row().one, from.row().called);
            return Err(no_such_entity(format!("{member} {name} is not in the {from} {}.", whole.name)));
        }
        self.found_mut(from, request, input)?.members.remove(name);
        Ok(Json::empty_object())
    }

    pub(super) fn list_wholes(&mut self, of: Kind, member: Kind, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let name = self.found(member, request, input)?.name.clone();
        let all = self.of_kind(&request.place.account, of).filter(|(_, whole)| whole.members.contains(&name));
        page_of(of.row().many, input, all.map(|(key, _)| &**key), |key| {
            Some(self.entities.get(key)?.shown(self, false))
        })
    }

    pub(super) fn get_group(&mut self, request: &Request<'_>, input: Input<'_>) -> Outcome {
        let group = self.found(Kind::Group, request, input)?;
        let users = group.members.iter().filter_map(|name| {
            let user = self.entities.get(&super::entities::key(&group.account, Kind::User, name))?;
            Some(user.shown(self, false))
        });
        Ok(Json::object([
            ("Group", group.shown(self, true)),
            ("Users", Json::array(users.collect())),
            ("IsTruncated", Json::Bool(false)),
        ]))
    }
}

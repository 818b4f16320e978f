//! Lists a page at a time: a marker is the name of the last item of the page before.

use stepwell_json::{Json, ObjectBuilder};

use crate::actions::Request;
use crate::refusal::Refusal;

/// Items under a member, with `NextMarker` when there are more. `items` are each under a name, in a stable order.
pub(crate) fn page(
    request: Request<'_>,
    member: &'static str,
    items: impl IntoIterator<Item = (String, Json)>,
    default_max: i64,
) -> Result<Json, Refusal> {
    let max = request.input.integer("MaxItems")?.unwrap_or(default_max).clamp(1, default_max);
    let marker = request.input.text("Marker")?;
    let mut items = items.into_iter();
    if let Some(marker) = marker {
        // A marker of somebody else, or of what is gone, ends the list.
        let _ = items.find(|(name, _)| *name == **marker);
    }
    let (mut shown, mut last) = (Vec::new(), None);
    for (name, item) in items.by_ref().take(usize::try_from(max).unwrap_or(1)) {
        shown.push(item);
        last = Some(name);
    }
    let mut answer = ObjectBuilder::new();
    answer.insert(member, Json::array(shown));
    if let Some(marker) = last.filter(|_| items.next().is_some()) {
        answer.insert("NextMarker", Json::from(marker));
    }
    Ok(Json::from(answer.build()))
}

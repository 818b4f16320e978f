//! The items of a Map Run, out of Amazon S3: which calls bring them, and what comes of the answers. Pure: whoever carries the
//! calls asks for the next one until there is a part of the items.
//!
//! ```text
//! getObject      a file: ranges of it, one after the other
//! a manifest     the manifest, then the files that it names
//! listObjectsV2  pages of a listing: its entries are the items, or with LOAD_AND_FLATTEN what is in the objects
//! ```
//!
//! Each part comes with the place behind it. Whoever knows that place, and nothing else, reads on from there: after a crash
//! nothing is read twice and nothing is left out. A file that changes meanwhile is refused.

mod files;
mod listing;
mod object;

use stepwell_asl::ResourceKind;
use stepwell_interpreter::{Failure, ItemsRequest};
use stepwell_items::{Item, ItemsFault, ManifestKind, format_of};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsCall, AwsError, Fault};
use stepwell_spec::error;

use files::Files;
use listing::Listing;
use object::ObjectReader;

/// Items of one part: as many as one step of the engine starts children for.
const PART_ITEMS_MAX: usize = 1_000;

/// Bytes of a part, past which no more items are added: it is a record of the log.
const PART_BYTES_MAX: usize = 1024 * 1024;

/// Items on their way from where they are.
#[derive(Debug)]
pub struct Reading {
    source: Source,
    /// Where the part that is being gathered begins.
    from: Option<Json>,
    /// How many items more are wanted.
    left: u64,
    /// Items of one part at most.
    part_items: usize,
    gathered: Vec<Item>,
    gathered_bytes: usize,
    /// The place behind what is gathered.
    place: Option<Json>,
    /// An item that is of the next part, because it has a name and the others have none, or the other way round.
    held: Option<Item>,
}

#[derive(Debug)]
enum Source {
    File(Box<ObjectReader>),
    Files(Box<Files>),
    Listing(Listing),
}

/// What a source does next.
#[derive(Debug)]
enum Step {
    Asks(AwsCall),
    Item(Item),
    Over,
}

/// What comes of reading on.
#[derive(Debug)]
pub enum ReadOn {
    /// This is to be asked; the answer goes to [`Reading::take`].
    Asks(AwsCall),
    /// The next part.
    Part {
        /// An array of items, or an object whose members they are.
        items: Json,
        /// The place behind them; none when they are the last.
        next: Option<Json>,
    },
    /// There are no more.
    Failed(Failure),
}

impl Reading {
    /// Begins, or goes on from the place in the request.
    pub fn new(request: &ItemsRequest) -> Result<Reading, Failure> {
        let arguments = &request.task.input;
        let place = request.from.as_ref();
        let config = &request.config;
        let lists = match &request.task.resource.kind {
            ResourceKind::Integration(integration) => &*integration.action == "listObjectsV2",
            ResourceKind::LambdaFunction | ResourceKind::Activity => false,
        };
        let source = if lists && config.transformation.as_deref() == Some("LOAD_AND_FLATTEN") {
            let format = format_of(config, None).map_err(failed)?;
            Source::Files(Box::new(Files::of_listing(arguments, format, place)))
        } else if lists {
            Source::Listing(Listing::new(arguments, place))
        } else if let Some(kind) = ManifestKind::of(config) {
            Source::Files(Box::new(Files::of_manifest(arguments, kind, config, place)))
        } else {
            let format = format_of(config, None).map_err(failed)?;
            Source::File(Box::new(ObjectReader::new(arguments.clone(), format, false, place)))
        };
        Ok(Reading {
            source,
            from: request.from.clone(),
            left: request.max_items.unwrap_or(u64::MAX),
            part_items: PART_ITEMS_MAX,
            gathered: Vec::new(),
            gathered_bytes: 0,
            place: None,
            held: None,
        })
    }

    /// The same with fewer items in each part, for whoever wants many parts of few items.
    pub fn in_parts_of(self, items: usize) -> Reading {
        Reading { part_items: items.clamp(1, PART_ITEMS_MAX), ..self }
    }

    /// Whether the next part is the one from this place.
    pub fn is_at(&self, from: Option<&Json>) -> bool {
        self.from.as_ref() == from
    }

    /// Reads on as far as it can.
    pub fn read_on(&mut self) -> ReadOn {
        loop {
            if self.left == 0 {
                return self.part(None);
            }
            let is_full = self.gathered.len() >= self.part_items || self.gathered_bytes >= PART_BYTES_MAX;
            if is_full || self.held.is_some() && !self.gathered.is_empty() {
                let next = self.place.clone();
                return self.part(next);
            }
            if let Some(item) = self.held.take() {
                self.gather(item);
                continue;
            }
            let step = match &mut self.source {
                Source::File(file) => file.step(),
                Source::Files(files) => files.step(),
                Source::Listing(listing) => Ok(listing.step()),
            };
            match step {
                Ok(Step::Asks(call)) => return ReadOn::Asks(call),
                Ok(Step::Item(item)) => match self.gathered.first() {
                    Some(first) if first.key.is_some() != item.key.is_some() => self.held = Some(item),
                    Some(_) | None => self.gather(item),
                },
                Ok(Step::Over) => return self.part(None),
                Err(fault) => return ReadOn::Failed(failed(fault)),
            }
        }
    }

    /// Takes the answer to what was asked.
    pub fn take(&mut self, answer: AwsAnswer) -> Result<(), Failure> {
        match &mut self.source {
            Source::File(file) => file.take(answer),
            Source::Files(files) => files.take(answer),
            Source::Listing(listing) => listing.take(answer),
        }
    }

    fn gather(&mut self, item: Item) {
        self.left -= 1;
        self.gathered_bytes += item.value.serialized_bytes();
        self.gathered.push(item);
        self.place = Some(match &self.source {
            Source::File(file) => file.place(),
            Source::Files(files) => files.place(),
            Source::Listing(listing) => listing.place(),
        });
    }

    fn part(&mut self, next: Option<Json>) -> ReadOn {
        self.gathered_bytes = 0;
        let gathered = std::mem::take(&mut self.gathered);
        let items = match gathered.first() {
            Some(Item { key: Some(_), .. }) => {
                let members = gathered.into_iter().filter_map(|item| Some((item.key?, item.value)));
                Json::object(members)
            }
            Some(Item { key: None, .. }) | None => Json::array(gathered.into_iter().map(|item| item.value).collect()),
        };
        self.from = next.clone();
        ReadOn::Part { items, next }
    }
}

fn failed(fault: ItemsFault) -> Failure {
    Failure::new(error::ITEM_READER_FAILED, fault.to_string())
}

/// A call that was refused.
fn refused(fault: &AwsError) -> Failure {
    Failure::new(error::ITEM_READER_FAILED, words_of(fault))
}

/// What S3 has said, as AWS's own client words it.
pub(crate) fn words_of(fault: &AwsError) -> String {
    let message = fault.message.as_deref().unwrap_or("null");
    match fault.fault {
        Fault::Unreached => message.to_owned(),
        Fault::Client | Fault::Server => {
            format!("{message} (Service: S3, Status Code: {}, Request ID: {})", fault.status, fault.request_id)
        }
    }
}

/// A number that counts something.
fn whole(value: &Json) -> Option<u64> {
    u64::try_from(value.as_number()?.as_integral()?).ok()
}

/// A call of S3 with these arguments and these members.
pub(crate) fn s3_call(action: &str, arguments: &Json, members: &[(&str, Json)]) -> AwsCall {
    let mut input = match arguments {
        Json::Object(given) => given.to_builder(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => ObjectBuilder::new(),
    };
    for (name, value) in members {
        input.insert(*name, value.clone());
    }
    AwsCall { service: "s3".into(), action: action.into(), input: Json::Object(input.build()) }
}

#[cfg(test)]
mod tests;

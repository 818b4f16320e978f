//! Items in many files, which a manifest or a listing names.

use std::collections::VecDeque;
use std::sync::Arc;

use stepwell_asl::ReaderConfig;
use stepwell_interpreter::Failure;
use stepwell_items::{DataFile, Format, ItemsFault, ManifestKind};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::AwsAnswer;

use super::listing::Listing;
use super::object::{ObjectReader, WholeObject};
use super::{Step, failed, whole};

/// What of the arguments of a manifest or a listing also holds for the files.
const SHARED: &[&str] = &["Bucket", "ExpectedBucketOwner", "RequestPayer"];

#[derive(Debug)]
pub(super) struct Files {
    arguments: Json,
    names: Names,
    format: Option<Format>,
    may_be_packed: bool,
    /// The file that is being read, and what it is called among the others.
    open: Option<(Json, ObjectReader)>,
    /// The last file of which an item was given, and the place in it.
    last: Option<Json>,
    /// Where in which file to go on, until that file is open.
    resumed: Option<Json>,
}

/// Where the names of the files come from.
#[derive(Debug)]
enum Names {
    Manifest { kind: ManifestKind, config: ReaderConfig, manifest: WholeObject },
    Listed { files: VecDeque<(usize, DataFile)>, manifest_etag: Option<Arc<str>> },
    Listing(Listing),
}

impl Files {
    pub(super) fn of_manifest(
        arguments: &Json,
        kind: ManifestKind,
        config: &ReaderConfig,
        place: Option<&Json>,
    ) -> Files {
        let etag = place.and_then(|place| place.get("Manifest")).and_then(Json::as_str);
        let manifest = WholeObject::new(arguments.clone(), etag);
        let names = Names::Manifest { kind, config: config.clone(), manifest };
        Files::new(arguments, names, None, true, place)
    }

    pub(super) fn of_listing(arguments: &Json, format: Format, place: Option<&Json>) -> Files {
        // The file that was being read is listed once more.
        let names = Names::Listing(Listing::new(arguments, place.and_then(|place| place.get("Before"))));
        Files::new(arguments, names, Some(format), false, place)
    }

    fn new(arguments: &Json, names: Names, format: Option<Format>, may_be_packed: bool, place: Option<&Json>) -> Files {
        let resumed = place.cloned();
        Files { arguments: arguments.clone(), names, format, may_be_packed, open: None, last: None, resumed }
    }

    pub(super) fn step(&mut self) -> Result<Step, ItemsFault> {
        loop {
            if let Some((name, file)) = &mut self.open {
                match file.step()? {
                    Step::Over => self.open = None,
                    Step::Item(item) => {
                        let mut last = match name {
                            Json::Object(name) => name.to_builder(),
                            _ => ObjectBuilder::new(),
                        };
                        last.insert("In", file.place());
                        self.last = Some(Json::Object(last.build()));
                        return Ok(Step::Item(item));
                    }
                    asks @ Step::Asks(_) => return Ok(asks),
                }
                continue;
            }
            let (name, bucket, key) = match &mut self.names {
                Names::Manifest { manifest, .. } => return Ok(Step::Asks(manifest.call())),
                Names::Listed { files, manifest_etag } => {
                    let Some((index, file)) = files.pop_front() else { return Ok(Step::Over) };
                    let mut name = ObjectBuilder::with_capacity(3);
                    name.insert("File", Json::from(index as u64));
                    if let Some(etag) = manifest_etag {
                        name.insert("Manifest", Json::String(etag.clone()));
                    }
                    (Json::Object(name.build()), file.bucket, file.key)
                }
                Names::Listing(listing) => {
                    let before = listing.place();
                    let entry = match listing.next_entry() {
                        Ok(Some(entry)) => entry,
                        Ok(None) => return Ok(Step::Over),
                        Err(call) => return Ok(Step::Asks(call)),
                    };
                    let key: Option<Arc<str>> = entry.get("Key").and_then(Json::as_str).map(Arc::from);
                    // What has nothing in it, such as a folder that somebody made, has no items either.
                    let Some(key) = key.filter(|_| entry.get("Size").and_then(whole) != Some(0)) else {
                        continue;
                    };
                    let name = [("Before", before), ("Key", Json::String(key.clone()))];
                    (Json::object(name), None, key)
                }
            };
            self.open(name, bucket, &key);
        }
    }

    fn open(&mut self, name: Json, bucket: Option<Arc<str>>, key: &Arc<str>) {
        let mut arguments = ObjectBuilder::new();
        for shared in SHARED {
            if let Some(value) = self.arguments.get(shared) {
                arguments.insert(*shared, value.clone());
            }
        }
        if let Some(bucket) = bucket {
            arguments.insert("Bucket", Json::String(bucket));
        }
        arguments.insert("Key", Json::String(key.clone()));
        let Some(format) = self.format.clone() else { return };
        // Of the same name as the file that was being read: if that one is gone, this one is read from its beginning.
        let is_same = |resumed: &Json| ["File", "Key"].iter().all(|part| resumed.get(part) == name.get(part));
        let resumed = self.resumed.take().filter(is_same);
        let place = resumed.as_ref().and_then(|resumed| resumed.get("In"));
        let file = ObjectReader::new(Json::Object(arguments.build()), format, self.may_be_packed, place);
        self.open = Some((name, file));
    }

    pub(super) fn take(&mut self, answer: AwsAnswer) -> Result<(), Failure> {
        if let Some((_, file)) = &mut self.open {
            return file.take(answer);
        }
        match &mut self.names {
            Names::Listing(listing) => listing.take(answer),
            Names::Listed { .. } => Ok(()),
            Names::Manifest { kind, config, manifest } => {
                let Some((bytes, etag)) = manifest.take(answer)? else { return Ok(()) };
                let manifest = kind.read(config, &bytes).map_err(failed)?;
                self.format = Some(manifest.format);
                let first = self.resumed.as_ref().and_then(|resumed| resumed.get("File")).and_then(whole);
                let first = first.and_then(|first| usize::try_from(first).ok()).unwrap_or(0);
                let files = manifest.files.into_iter().enumerate().skip(first).collect();
                self.names = Names::Listed { files, manifest_etag: etag };
                Ok(())
            }
        }
    }

    /// The place behind the last item.
    pub(super) fn place(&self) -> Json {
        self.last.clone().unwrap_or(Json::Null)
    }
}

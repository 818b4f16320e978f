//! One file: its ranges, one after the other, and the items in them.

use std::sync::Arc;

use stepwell_interpreter::Failure;
use stepwell_items::{Decoder, Format, ItemsFault, Unpacking};
use stepwell_json::{Json, ObjectBuilder};
use stepwell_protocol::{AwsAnswer, AwsCall, AwsOutput, blob_bytes};
use stepwell_spec::error;

use super::{Step, failed, refused, s3_call, whole};

/// Bytes of a range: few calls, and nothing that anybody would miss in memory.
const RANGE_BYTES: u64 = 1024 * 1024;

/// The same of a file that may be packed, and a hundred times larger then.
const PACKED_RANGE_BYTES: u64 = 128 * 1024;

#[derive(Debug)]
pub(super) struct ObjectReader {
    arguments: Json,
    bytes: Bytes,
    decoder: Decoder,
}

/// A file as it comes, without a look at what is in it.
#[derive(Debug)]
pub(super) struct Bytes {
    /// How much of it has come.
    offset: u64,
    /// How much of what it unpacks to was read before.
    skip: u64,
    may_be_packed: bool,
    unpacking: Option<Unpacking>,
    /// The version of it that is read.
    etag: Option<Arc<str>>,
    is_over: bool,
}

impl Bytes {
    fn new(may_be_packed: bool, place: Option<&Json>) -> Bytes {
        let behind = place.and_then(|place| place.get("Place")).and_then(whole).unwrap_or(0);
        let etag = place.and_then(|place| place.get("ETag")).and_then(Json::as_str).map(Arc::from);
        let is_packed = place.and_then(|place| place.get("Packed")).and_then(Json::as_bool) == Some(true);
        Bytes {
            offset: if is_packed { 0 } else { behind },
            skip: if is_packed { behind } else { 0 },
            may_be_packed,
            unpacking: None,
            etag,
            is_over: false,
        }
    }

    fn call(&self, arguments: &Json) -> AwsCall {
        let length = if self.may_be_packed { PACKED_RANGE_BYTES } else { RANGE_BYTES };
        let range = format!("bytes={}-{}", self.offset, self.offset + length - 1);
        let mut members = vec![("Range", Json::from(range))];
        members.extend(self.etag.iter().map(|etag| ("IfMatch", Json::String(etag.clone()))));
        s3_call("GetObject", arguments, &members)
    }

    fn take(
        &mut self,
        answer: AwsAnswer,
        mut each: impl FnMut(&[u8]) -> Result<(), ItemsFault>,
    ) -> Result<(), Failure> {
        let AwsOutput { output, .. } = match answer {
            Ok(output) => output,
            // There is nothing at that place: the file is empty, or all of it has come.
            Err(fault) if fault.status == 416 => return self.end(),
            Err(fault) if fault.status == 412 => {
                return Err(Failure::new(error::ITEM_READER_FAILED, "The file was changed while it was read."));
            }
            Err(fault) => return Err(refused(&fault)),
        };
        let body = output.get("Body").and_then(Json::as_str).and_then(blob_bytes).unwrap_or_default();
        let range = output.get("ContentRange").and_then(Json::as_str);
        let length = range.and_then(|range| range.rsplit('/').next()).and_then(|length| length.parse::<u64>().ok());
        // Whoever knows no ranges answers with all of it.
        let body = match range {
            Some(_) => &*body,
            None => body.get(usize::try_from(self.offset).unwrap_or(usize::MAX)..).unwrap_or_default(),
        };
        if self.etag.is_none() {
            self.etag = output.get("ETag").and_then(Json::as_str).map(Arc::from);
        }
        if self.offset == 0 && self.may_be_packed && Unpacking::is_packed(body) {
            self.unpacking = Some(Unpacking::default());
        }
        self.offset += body.len() as u64;
        let mut skip = self.skip;
        let taken = match &mut self.unpacking {
            None => each(body),
            Some(unpacking) => unpacking.take(body, |part| {
                let skipped = skip.min(part.len() as u64);
                skip -= skipped;
                each(&part[skipped as usize..])
            }),
        };
        taken.map_err(failed)?;
        self.skip = skip;
        match body.is_empty() || length.is_none_or(|length| self.offset >= length) {
            true => self.end(),
            false => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.is_over = true;
        self.unpacking.as_ref().map_or(Ok(()), Unpacking::end).map_err(failed)
    }
}

impl ObjectReader {
    /// `arguments` name the file. `place` is what [`ObjectReader::place`] was.
    pub(super) fn new(arguments: Json, format: Format, may_be_packed: bool, place: Option<&Json>) -> ObjectReader {
        let behind = place.and_then(|place| place.get("Place")).and_then(whole).unwrap_or(0);
        let state = place.and_then(|place| place.get("State"));
        ObjectReader {
            arguments,
            bytes: Bytes::new(may_be_packed, place),
            decoder: Decoder::resumed(format, behind, state),
        }
    }

    pub(super) fn step(&mut self) -> Result<Step, ItemsFault> {
        Ok(match self.decoder.next_item()? {
            Some(item) => Step::Item(item),
            None if self.bytes.is_over || self.decoder.is_over() => Step::Over,
            None => Step::Asks(self.bytes.call(&self.arguments)),
        })
    }

    pub(super) fn take(&mut self, answer: AwsAnswer) -> Result<(), Failure> {
        let decoder = &mut self.decoder;
        self.bytes.take(answer, |part| {
            decoder.feed(part);
            Ok(())
        })?;
        if self.bytes.is_over {
            self.decoder.end();
        }
        Ok(())
    }

    /// The place behind the last item.
    pub(super) fn place(&self) -> Json {
        let mut place = ObjectBuilder::with_capacity(4);
        place.insert("Place", Json::from(self.decoder.place()));
        if let Some(state) = self.decoder.state() {
            place.insert("State", state);
        }
        if let Some(etag) = &self.bytes.etag {
            place.insert("ETag", Json::String(etag.clone()));
        }
        if self.bytes.unpacking.is_some() {
            place.insert("Packed", Json::Bool(true));
        }
        Json::Object(place.build())
    }
}

/// A file and its version.
pub(super) type Whole = (Vec<u8>, Option<Arc<str>>);

/// A file that is read as a whole, because it says what comes next.
#[derive(Debug)]
pub(super) struct WholeObject {
    arguments: Json,
    bytes: Bytes,
    whole: Vec<u8>,
}

/// Bytes of such a file at most: some ten thousand names of files.
const WHOLE_BYTES_MAX: usize = 8 * 1024 * 1024;

impl WholeObject {
    /// The version that was read before, if one was, is read again.
    pub(super) fn new(arguments: Json, etag: Option<&str>) -> WholeObject {
        let bytes = Bytes { etag: etag.map(Arc::from), ..Bytes::new(false, None) };
        WholeObject { arguments, bytes, whole: Vec::new() }
    }

    pub(super) fn call(&self) -> AwsCall {
        self.bytes.call(&self.arguments)
    }

    /// The file and its version, once all of it has come.
    pub(super) fn take(&mut self, answer: AwsAnswer) -> Result<Option<Whole>, Failure> {
        let whole = &mut self.whole;
        self.bytes.take(answer, |part| {
            whole.extend_from_slice(part);
            Ok(())
        })?;
        if self.whole.len() > WHOLE_BYTES_MAX {
            let cause = format!("The manifest has more than {WHOLE_BYTES_MAX} bytes.");
            return Err(Failure::new(error::ITEM_READER_FAILED, cause));
        }
        Ok(self.bytes.is_over.then(|| (std::mem::take(&mut self.whole), self.bytes.etag.clone())))
    }
}

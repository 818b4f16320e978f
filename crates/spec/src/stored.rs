//! Taking events apart into a few kinds of values, and putting them together again: what a log keeps of them.
//!
//! This file says which values, in which order. How they become bytes is the log's own affair: it implements
//! [`FieldSink`] and [`FieldSource`]. The order of an event's fields is part of its storage tag's meaning. A field may be
//! added at the end of an event when it is an `Option`, which reads as `None` where an older record ends before it; any
//! other change of an event's fields is a new event with a tag of its own.

use stepwell_json::Json;

use crate::events::{AssignedVariables, JsonText, Onward, Payload, TaskCredentials, Text};
use crate::timestamp::Timestamp;

/// Takes the values of a thing, one by one.
pub trait FieldSink {
    /// A count, an index, a yes or no.
    fn number(&mut self, value: u64);
    /// A fraction.
    fn float(&mut self, value: f64);
    /// A point in time.
    fn time(&mut self, value: Timestamp);
    /// A text.
    fn text(&mut self, value: &Text);
    /// A JSON value, which is given back to the letter.
    fn json(&mut self, value: &Json);
}

/// Gives values back in the order a [`FieldSink`] took them.
pub trait FieldSource {
    /// Why a value is not to be had.
    type Error;

    /// A count, an index, a yes or no.
    fn number(&mut self) -> Result<u64, Self::Error>;
    /// A fraction.
    fn float(&mut self) -> Result<f64, Self::Error>;
    /// A point in time.
    fn time(&mut self) -> Result<Timestamp, Self::Error>;
    /// A text.
    fn text(&mut self) -> Result<Text, Self::Error>;
    /// A JSON value.
    fn json(&mut self) -> Result<Json, Self::Error>;
    /// Whether there is nothing more.
    fn is_at_end(&self) -> bool;
    /// The error for a number that cannot stand where it was found.
    fn out_of_range(&self, value: u64) -> Self::Error;
    /// The error for an event whose storage tag is not in the table.
    fn unknown_event(&self, tag: u16) -> Self::Error;
}

/// What can be taken apart and put together again.
pub trait Stored: Sized {
    /// Gives every value to the sink, in the order [`Stored::restore`] asks for them.
    fn store(&self, sink: &mut impl FieldSink);

    /// The thing that these values were taken from.
    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error>;
}

impl Stored for u64 {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.number(*self);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        source.number()
    }
}

impl Stored for u32 {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.number(u64::from(*self));
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        let value = source.number()?;
        u32::try_from(value).map_err(|_| source.out_of_range(value))
    }
}

impl Stored for f64 {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.float(*self);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        source.float()
    }
}

impl Stored for Timestamp {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.time(*self);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        source.time()
    }
}

impl Stored for Text {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.text(self);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        source.text()
    }
}

impl Stored for Json {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.json(self);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        source.json()
    }
}

impl<F: Stored> Stored for Option<F> {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.number(u64::from(self.is_some()));
        if let Some(field) = self {
            field.store(sink);
        }
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        if source.is_at_end() {
            return Ok(None);
        }
        match source.number()? {
            0 => Ok(None),
            1 => F::restore(source).map(Some),
            other => Err(source.out_of_range(other)),
        }
    }
}

impl Stored for JsonText {
    fn store(&self, sink: &mut impl FieldSink) {
        self.0.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Json::restore(source).map(JsonText)
    }
}

impl Stored for Payload {
    fn store(&self, sink: &mut impl FieldSink) {
        self.value.store(sink);
        self.text.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(Payload { value: Json::restore(source)?, text: Option::restore(source)? })
    }
}

impl Stored for AssignedVariables {
    fn store(&self, sink: &mut impl FieldSink) {
        sink.number(self.0.len() as u64);
        for (name, value) in &self.0 {
            name.store(sink);
            value.store(sink);
        }
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        let count = source.number()?;
        // Not reserved ahead: the count is not to be believed before that many are there.
        let mut assigned = Vec::new();
        for _ in 0..count {
            assigned.push((Text::restore(source)?, Json::restore(source)?));
        }
        Ok(AssignedVariables(assigned))
    }
}

impl Stored for TaskCredentials {
    fn store(&self, sink: &mut impl FieldSink) {
        self.role_arn.store(sink);
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        Ok(TaskCredentials { role_arn: Text::restore(source)? })
    }
}

impl Stored for Onward {
    /// 0 for the end, a state's index and 1 otherwise.
    fn store(&self, sink: &mut impl FieldSink) {
        sink.number(match self {
            Onward::End => 0,
            Onward::State(index) => u64::from(*index) + 1,
        });
    }

    fn restore<S: FieldSource>(source: &mut S) -> Result<Self, S::Error> {
        match source.number()? {
            0 => Ok(Onward::End),
            above => u32::try_from(above - 1).map(Onward::State).map_err(|_| source.out_of_range(above)),
        }
    }
}

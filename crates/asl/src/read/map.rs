//! Map states: the item processor, and what only distributed ones have.

use stepwell_json::SpannedMember;
use stepwell_spec::{ITEM_READERS, Place, RESULT_WRITERS, quota};

use super::Compiler;
use super::object::Object;
use crate::definition::{
    Distributed, ItemBatcher, ItemReader, Items, Map, MapMode, QueryLanguage, ReaderConfig, ResultWriter,
};
use crate::diagnostics::Code;
use crate::faults::Fault;

/// Fields an inline Map has no use for.
const DISTRIBUTED_ONLY: &[&str] = &[
    "Label",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
];

/// Characters a label cannot have, besides white space and control characters.
const LABEL_FORBIDDEN: &[char] =
    &['?', '*', '<', '>', '{', '}', '[', ']', ':', ';', ',', '\\', '|', '^', '~', '$', '#', '%', '&', '`', '"', '/'];

/// `ProcessorConfig`.
struct Processor<'a> {
    object: Object<'a>,
    is_distributed: bool,
    is_express: bool,
}

impl<'a> Compiler<'a> {
    /// What is particular to a Map state.
    pub(crate) fn map(&mut self, state: &Object<'a>) -> Option<Map> {
        let items = match state.language {
            QueryLanguage::JsonPath => Items::Path(self.items_path(state)),
            QueryLanguage::Jsonata => Items::Query(self.query_template(state, "Items")),
        };
        let item_selector = match (state.language, state.get("ItemSelector")) {
            (QueryLanguage::JsonPath, None) => self.payload(state, "Parameters", "ItemSelector"),
            _ => self.payload(state, "ItemSelector", "ItemSelector"),
        };
        let max_concurrency = self.integer_setting(state, "MaxConcurrency");
        let processor = self.processor(state);
        let is_distributed = processor.as_ref().is_some_and(|processor| processor.is_distributed);
        let distributed = self.distributed(state, &processor);
        if processor.is_some() && !is_distributed {
            self.warn_of_distributed_fields(state);
        }
        let retry = self.retriers(state);
        let catch = self.catchers(state);
        let transition = self.transition(state);
        let Processor { object, is_express, .. } = processor?;
        let (id, runs_express) = (self.here.state, if is_distributed { is_express } else { self.here.is_express });
        let processor = self.enqueue(object, Some(id), runs_express);
        if is_distributed {
            self.variables.isolate(processor);
        }
        let mode = if is_distributed { MapMode::Distributed(Box::new(distributed)) } else { MapMode::Inline };
        Some(Map { items, item_selector, max_concurrency, processor, mode, retry, catch, transition: transition? })
    }

    fn processor(&mut self, state: &Object<'a>) -> Option<Processor<'a>> {
        let member = state.get("ItemProcessor").or_else(|| state.get("Iterator"))?;
        let at = self.trail.key(state.at, &member.key);
        let object = self.object(Place::ItemProcessor, &member.value, at, member.key_span, self.machine_language)?;
        let Some(config) = object.get("ProcessorConfig") else {
            return Some(Processor { object, is_distributed: false, is_express: false });
        };
        let config_at = self.trail.key(at, "ProcessorConfig");
        let language = self.machine_language;
        let Some(config) = self.object(Place::ProcessorConfig, &config.value, config_at, config.key_span, language)
        else {
            return Some(Processor { object, is_distributed: false, is_express: false });
        };
        let is_distributed = self.text(&config, "Mode").is_some_and(|mode| &*mode == "DISTRIBUTED");
        let is_express = self.text(&config, "ExecutionType").is_some_and(|kind| &*kind == "EXPRESS");
        match (is_distributed, config.get("ExecutionType")) {
            (true, None) => self.missing_fields(&config, &["ExecutionType"]),
            (false, Some(member)) => {
                let at = self.trail.key(config.at, "ExecutionType");
                let message = "an inline Map has no child executions, so it has no \"ExecutionType\"";
                let fault = Fault::new(Code::MisplacedField, at, member.key_span, message)
                    .suggest(Some("leave it out, or set \"Mode\": \"DISTRIBUTED\"".to_owned()))
                    .schema("Field 'ExecutionType' is not supported")
                    .aws_at(config.at);
                self.fault(fault);
            }
            (true, Some(_)) | (false, None) => {}
        }
        if is_distributed
            && self.here.is_express
            && let Some(mode) = config.get("Mode")
        {
            let at = self.trail.key(config.at, "Mode");
            let message = "an Express workflow cannot have a distributed Map";
            let fault = Fault::new(Code::UnsupportedInExpress, at, mode.value.span, message)
                .schema("The field 'Mode' with value 'DISTRIBUTED' is not supported inside 'EXPRESS' state machines");
            self.fault(fault);
        }
        Some(Processor { object, is_distributed, is_express })
    }

    fn warn_of_distributed_fields(&mut self, state: &Object<'a>) {
        for name in DISTRIBUTED_ONLY {
            if let Some(member) = state.get(name) {
                let at = self.trail.key(state.at, &member.key);
                let message = format!("\"{name}\" has no effect on an inline Map");
                let fault = Fault::new(Code::DistributedOnlyField, at, member.key_span, message)
                    .suggest(Some("set \"Mode\": \"DISTRIBUTED\" in its ProcessorConfig".to_owned()));
                self.fault(fault);
            }
        }
    }

    fn distributed(&mut self, state: &Object<'a>, processor: &Option<Processor<'a>>) -> Distributed {
        Distributed {
            express_children: processor.as_ref().is_some_and(|processor| processor.is_express),
            label: self.label(state),
            item_reader: self.part(state, "ItemReader", Place::ItemReader).and_then(|part| self.item_reader(&part)),
            item_batcher: self.part(state, "ItemBatcher", Place::ItemBatcher).map(|part| self.item_batcher(&part)),
            result_writer: self.part(state, "ResultWriter", Place::ResultWriter).map(|part| self.result_writer(&part)),
            tolerated_failure_count: self.integer_setting(state, "ToleratedFailureCount"),
            tolerated_failure_percentage: self.number_setting(state, "ToleratedFailurePercentage"),
        }
    }

    /// An object inside another one.
    fn part(&mut self, object: &Object<'a>, name: &str, place: Place) -> Option<Object<'a>> {
        let member = object.get(name)?;
        let at = self.trail.key(object.at, &member.key);
        self.object(place, &member.value, at, member.key_span, object.language)
    }

    fn label(&mut self, state: &Object<'a>) -> Option<std::sync::Arc<str>> {
        let label = self.text(state, "Label")?;
        let member = state.get("Label")?;
        let written: &'a str = member.value.as_str()?;
        let at = self.trail.key(state.at, "Label");
        let max = quota::MAP_LABEL_CHARACTERS_MAX;
        let characters = written.chars().count();
        let forbidden = written
            .chars()
            .find(|letter| letter.is_whitespace() || letter.is_control() || LABEL_FORBIDDEN.contains(letter));
        let message = match forbidden {
            _ if characters == 0 => Some("a label has at least one character".to_owned()),
            _ if characters > max => Some(format!("a label has {max} characters at most, this one has {characters}")),
            Some(letter) => Some(format!("a label cannot have {letter:?}")),
            None => None,
        };
        if let Some(message) = message {
            let aws = format!("Invalid Label name: {written}");
            self.fault(Fault::new(Code::InvalidLabel, at, member.value.span, message).aws("INVALID_LABEL_NAME", aws));
            return None;
        }
        if self.labels.insert(written, ()).is_some() {
            let message = format!("another Map state has the label \"{written}\"");
            let aws = format!("Duplicate Label name: {written}");
            self.fault(
                Fault::new(Code::DuplicateLabel, at, member.value.span, message).aws("DUPLICATE_LABEL_NAME", aws),
            );
        }
        Some(label)
    }

    fn item_reader(&mut self, reader: &Object<'a>) -> Option<ItemReader> {
        let resource = self.storage_resource(reader, ITEM_READERS);
        let arguments = self.payload(reader, "Parameters", "Arguments");
        let (config, max_items) = match self.part(reader, "ReaderConfig", Place::ReaderConfig) {
            Some(config) => (self.reader_config(&config), self.integer_setting(&config, "MaxItems")),
            None => (ReaderConfig::default(), None),
        };
        Some(ItemReader { resource: resource?, arguments, config, max_items })
    }

    fn reader_config(&mut self, config: &Object<'a>) -> ReaderConfig {
        let input_type = self.text(config, "InputType");
        let is_csv = input_type.as_deref() == Some("CSV");
        let is_of_other_type = input_type.as_deref().is_some_and(|name| !matches!(name, "CSV" | "MANIFEST"));
        if is_csv && config.get("CSVHeaderLocation").is_none() {
            let message = "a CSV file needs \"CSVHeaderLocation\"";
            let fault = Fault::new(Code::MissingField, config.at, config.named, message)
                .schema("The field 'CSVHeaderLocation' is required");
            self.fault(fault);
        }
        for name in ["CSVHeaderLocation", "CSVHeaders", "CSVDelimiter"] {
            if let Some(member) = config.get(name).filter(|_| is_of_other_type) {
                let at = self.trail.key(config.at, &member.key);
                let fault =
                    Fault::new(Code::MisplacedField, at, member.key_span, format!("\"{name}\" is for CSV files"))
                        .schema(format!("Field '{name}' is not supported"))
                        .aws_at(config.at);
                self.fault(fault);
            }
        }
        let csv_header_location = self.text(config, "CSVHeaderLocation");
        if csv_header_location.as_deref() == Some("GIVEN") && config.get("CSVHeaders").is_none() {
            self.missing_fields(config, &["CSVHeaders"]);
        }
        let csv_headers = self.text_list(config, "CSVHeaders").unwrap_or_default();
        ReaderConfig {
            input_type,
            transformation: self.text(config, "Transformation"),
            manifest_type: self.text(config, "ManifestType"),
            csv_delimiter: self.text(config, "CSVDelimiter"),
            csv_header_location,
            csv_headers: csv_headers.into_iter().map(|(name, _, _)| name).collect(),
            items_pointer: self.items_pointer(config),
        }
    }

    fn items_pointer(&mut self, config: &Object<'a>) -> Option<std::sync::Arc<str>> {
        let pointer = self.text(config, "ItemsPointer")?;
        let member = config.get("ItemsPointer")?;
        if pointer.is_empty() || pointer.starts_with('/') {
            return Some(pointer);
        }
        let at = self.trail.key(config.at, "ItemsPointer");
        let fault = Fault::new(Code::InvalidPath, at, member.value.span, "a JSON Pointer starts with \"/\"")
            .suggest(Some(format!("did you mean \"/{}\"?", pointer.trim_start_matches(['$', '.']).replace('.', "/"))))
            .schema("Value must be a valid JSON Pointer.");
        self.fault(fault);
        None
    }

    fn item_batcher(&mut self, batcher: &Object<'a>) -> ItemBatcher {
        ItemBatcher {
            max_items_per_batch: self.integer_setting(batcher, "MaxItemsPerBatch"),
            max_input_bytes_per_batch: self.integer_setting(batcher, "MaxInputBytesPerBatch"),
            batch_input: self.payload(batcher, "BatchInput", "BatchInput"),
        }
    }

    fn result_writer(&mut self, writer: &Object<'a>) -> ResultWriter {
        let config = self.part(writer, "WriterConfig", Place::WriterConfig);
        if let Some(member) = writer.get("WriterConfig")
            && is_empty_object(member)
        {
            let at = self.trail.key(writer.at, "WriterConfig");
            self.empty(&member.value, at, "WriterConfig");
        }
        ResultWriter {
            resource: self.storage_resource(writer, RESULT_WRITERS),
            arguments: self.payload(writer, "Parameters", "Arguments"),
            output_type: config.as_ref().and_then(|config| self.text(config, "OutputType")),
            transformation: config.as_ref().and_then(|config| self.text(config, "Transformation")),
        }
    }
}

fn is_empty_object(member: &SpannedMember) -> bool {
    member.value.members().is_some_and(<[SpannedMember]>::is_empty)
}

//! The wire contract, recorded: a change to it must be seen and wanted.
//!
//! `proto/contract.txt` holds one line for each element of the API. It says nothing of
//! comments, nor of which file an element stands in: neither reaches the wire.

use std::{collections::BTreeMap, collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

const PACKAGE: &str = "paystatus.v1";
const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/proto/contract.txt");

#[test]
fn the_contract_is_as_recorded() {
    let present = render();
    if env::var_os("UPDATE_CONTRACT").is_some() {
        fs::write(RECORDED, &present).expect("the contract can be recorded");
        return;
    }
    let recorded = fs::read_to_string(Path::new(RECORDED)).unwrap_or_default();
    assert!(
        present == recorded,
        "the contract differs from proto/contract.txt (- recorded, + now):\n\n{}\n\
         Fields and values are never renumbered or given another type, and what is removed is \
         reserved. If the change is wanted, record it with\n\n    \
         UPDATE_CONTRACT=1 cargo test contract\n",
        difference(&recorded, &present),
    );
}

/// The lines that only one of two texts has.
fn difference(recorded: &str, present: &str) -> String {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (recorded.lines().collect(), present.lines().collect());
    let removed = recorded.lines().filter(|line| !new.contains(line)).map(|line| ("-", line));
    let added = present.lines().filter(|line| !old.contains(line)).map(|line| ("+", line));
    let mut text = String::new();
    for (sign, line) in removed.chain(added) {
        writeln!(text, "{sign} {line}").expect("writing to a string cannot fail");
    }
    if text.is_empty() { "the same lines in another order\n".to_owned() } else { text }
}

/// The API as text: messages, enums and services by name, each with its lines.
fn render() -> String {
    let set = FileDescriptorSet::decode(paystatus_proto::DESCRIPTORS).expect("valid descriptors");
    let mut elements = BTreeMap::new();
    for file in set.file.iter().filter(|file| file.package() == PACKAGE) {
        for message in &file.message_type {
            render_message(message.name(), message, &mut elements);
        }
        for values in &file.enum_type {
            elements.insert(values.name().to_owned(), render_enum(values.name(), values));
        }
        for service in &file.service {
            elements.insert(service.name().to_owned(), render_service(service));
        }
    }
    let lines: Vec<String> = elements.into_values().flatten().collect();
    format!("package {PACKAGE}\n{}\n", lines.join("\n"))
}

fn render_message(
    name: &str,
    message: &DescriptorProto,
    elements: &mut BTreeMap<String, Vec<String>>,
) {
    let mut fields: Vec<_> = message.field.iter().collect();
    fields.sort_by_key(|field| field.number());
    let mut lines = vec![format!("message {name}")];
    lines.extend(fields.into_iter().map(|field| render_field(name, message, field)));
    lines.extend(
        message
            .reserved_range
            .iter()
            .map(|range| format!("{name} reserved {} to {}", range.start(), range.end() - 1)),
    );
    lines.extend(message.reserved_name.iter().map(|field| format!("{name} reserved {field}")));
    elements.insert(name.to_owned(), lines);

    for nested in message.nested_type.iter().filter(|nested| !is_map_entry(nested)) {
        render_message(&format!("{name}.{}", nested.name()), nested, elements);
    }
    for values in &message.enum_type {
        let full_name = format!("{name}.{}", values.name());
        let lines = render_enum(&full_name, values);
        elements.insert(full_name, lines);
    }
}

/// `Order.labels 14 map<string, string>`
fn render_field(name: &str, message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    let entry = message.nested_type.iter().find(|nested| {
        is_map_entry(nested) && field.type_name().rsplit('.').next() == Some(nested.name())
    });
    let shape = match entry {
        Some(entry) => {
            format!("map<{}, {}>", type_name(&entry.field[0]), type_name(&entry.field[1]))
        }
        None if field.label() == Label::Repeated => format!("repeated {}", type_name(field)),
        None if field.proto3_optional() => format!("optional {}", type_name(field)),
        None => type_name(field),
    };
    let group = match field.oneof_index {
        Some(index) if !field.proto3_optional() => {
            let index = usize::try_from(index).expect("an index is not negative");
            format!(" in oneof {}", message.oneof_decl[index].name())
        }
        _ => String::new(),
    };
    format!("{name}.{} {} {shape}{group}", field.name(), field.number())
}

fn render_enum(name: &str, values: &EnumDescriptorProto) -> Vec<String> {
    let mut lines = vec![format!("enum {name}")];
    lines.extend(
        values.value.iter().map(|value| format!("{name}.{} {}", value.name(), value.number())),
    );
    lines
}

/// `OrderService.WatchOrder(WatchOrderRequest) returns (stream WatchOrderResponse)`
fn render_service(service: &ServiceDescriptorProto) -> Vec<String> {
    let stream = |streams: bool| if streams { "stream " } else { "" };
    let name = service.name();
    let mut lines = vec![format!("service {name}")];
    lines.extend(service.method.iter().map(|method| {
        format!(
            "{name}.{}({}{}) returns ({}{})",
            method.name(),
            stream(method.client_streaming()),
            short(method.input_type()),
            stream(method.server_streaming()),
            short(method.output_type()),
        )
    }));
    lines
}

fn type_name(field: &FieldDescriptorProto) -> String {
    match field.r#type() {
        Type::Message | Type::Enum => short(field.type_name()).to_owned(),
        scalar => scalar.as_str_name().trim_start_matches("TYPE_").to_lowercase(),
    }
}

/// A type's name without our own package.
fn short(name: &str) -> &str {
    let name = name.trim_start_matches('.');
    name.strip_prefix(PACKAGE).map_or(name, |rest| rest.trim_start_matches('.'))
}

fn is_map_entry(message: &DescriptorProto) -> bool {
    message.options.as_ref().is_some_and(|options| options.map_entry())
}

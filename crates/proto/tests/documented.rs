//! Every service, method, message, field, enum and value of the public contract says what it means.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use std::collections::HashSet;

use pegcount_proto::v1::FILE_DESCRIPTOR_SET;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};

/// Numbers of the descriptor's own fields, of which source paths are made (descriptor.proto).
const MESSAGE: i32 = 4;
const ENUM: i32 = 5;
const SERVICE: i32 = 6;
const INNER: i32 = 2;
const NESTED: i32 = 3;

/// The paths that have a comment before them.
fn commented(file: &FileDescriptorProto) -> HashSet<Vec<i32>> {
    let info = file.source_code_info.as_ref().expect("compiled with source info");
    let has_words = |comment: &Option<String>| comment.as_ref().is_some_and(|text| !text.trim().is_empty());
    let commented = info.location.iter().filter(|location| has_words(&location.leading_comments));
    commented.map(|location| location.path.clone()).collect()
}

fn number(index: usize) -> i32 {
    i32::try_from(index).unwrap()
}

/// Every path of `file` that should have a comment, with its name.
fn documentable(file: &FileDescriptorProto) -> Vec<(Vec<i32>, String)> {
    let mut all = Vec::new();
    for (index, message) in file.message_type.iter().enumerate() {
        let path = vec![MESSAGE, number(index)];
        all.extend(within(message, path));
    }
    for (index, kind) in file.enum_type.iter().enumerate() {
        let path = vec![ENUM, number(index)];
        all.push((path.clone(), kind.name().to_owned()));
        let values = kind.value.iter().enumerate();
        all.extend(values.map(|(value, named)| (inner(&path, value), named.name().to_owned())));
    }
    for (index, service) in file.service.iter().enumerate() {
        let path = vec![SERVICE, number(index)];
        all.push((path.clone(), service.name().to_owned()));
        let methods = service.method.iter().enumerate();
        all.extend(methods.map(|(method, named)| (inner(&path, method), named.name().to_owned())));
    }
    all
}

/// A message, its fields, and the messages within it, but for those that a map is made of.
fn within(message: &DescriptorProto, path: Vec<i32>) -> Vec<(Vec<i32>, String)> {
    let mut all = fields(message, &path);
    for (index, nested) in message.nested_type.iter().enumerate() {
        if !nested.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
            all.extend(within(nested, [path.as_slice(), &[NESTED, number(index)]].concat()));
        }
    }
    all.push((path, message.name().to_owned()));
    all
}

fn fields(message: &DescriptorProto, path: &[i32]) -> Vec<(Vec<i32>, String)> {
    let name = |field: &prost_types::FieldDescriptorProto| format!("{}.{}", message.name(), field.name());
    message.field.iter().enumerate().map(|(index, field)| (inner(path, index), name(field))).collect()
}

fn inner(path: &[i32], index: usize) -> Vec<i32> {
    [path, &[INNER, number(index)]].concat()
}

#[test]
fn the_public_contract_is_documented_to_the_last_field() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let ours: Vec<_> = set.file.iter().filter(|file| file.package() == "pegcount.v1").collect();
    assert_eq!(ours.len(), 10, "all files of the contract are looked at");
    let mut silent = Vec::new();
    let mut looked_at = 0;
    for file in ours {
        let commented = commented(file);
        for (path, name) in documentable(file) {
            looked_at += 1;
            if !commented.contains(&path) {
                silent.push(format!("{}: {name}", file.name()));
            }
        }
    }
    assert!(looked_at > 400, "only {looked_at} things were looked at");
    assert!(silent.is_empty(), "these say nothing:\n{}", silent.join("\n"));
}

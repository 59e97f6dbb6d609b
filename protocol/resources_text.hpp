#pragma once

#include "protocol/error.hpp"
#include "protocol/resource_entry.hpp"

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>

namespace troupe {

// The textual form of resources, for people, flags and logs:
//
//   list        = [ entry { ";" entry } ]
//   entry       = name [ "(" reservations ")" ] [ "{" marks "}" ] ":" value
//   value       = 1.5 | [1-2,5-9] | {a,b}
//   reservations= reservation { "," reservation }              bottom first; (*) is unreserved
//   reservation = role [ "dynamic" ] [ "by" principal ] [ "labels" "{" … "}" ]
//   marks       = mark { "," mark }
//   mark        = "allocated" role | "revocable" | "shared" | "provider" id | "disk" "{" … "}"
//
// as in `cpus:4; mem(eng):2048; disk(eng, eng/db dynamic by ops){allocated eng/db, disk{persistence { id: "v1" }}}:64`.
// Anything that is not a plain word is written in double quotes with the escapes `\"`, `\\` and `\xHH`. Inside
// `labels{…}` and `disk{…}` stands protobuf's text format of Labels and of DiskInfo.

/// The entries of a text as messages in the stack form. Only the form is checked; resources::from() checks the rest.
/// Entries without parentheses are reserved (statically) to `default_role`, unless that is "*".
result<google::protobuf::RepeatedPtrField<v1::Resource>> messages_from_text(std::string_view text,
                                                                            std::string_view default_role);

/// One entry, which messages_from_text reads back.
std::string text_of(const resource_entry& entry);

}  // namespace troupe

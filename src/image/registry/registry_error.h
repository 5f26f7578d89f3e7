// What a registry says in the body of an answer that is a refusal. Source: distribution-spec,
// "Error Codes".
#pragma once

#include <string>
#include <string_view>

#include "image/registry/http_client.h"

namespace berth::image {

/// "manifest unknown: what it says", as Docker prints it; empty: it says nothing that is
/// understood. One line. Reads the body.
std::string reason_of(HttpResponse& response);

/// An answer that nobody expects: kInternal, and transient (patience.h) if it may pass.
Error answer_to(HttpResponse& response, std::string_view what);

}  // namespace berth::image

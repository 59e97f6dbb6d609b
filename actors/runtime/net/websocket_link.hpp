#pragma once

#include "actors/runtime/net/byte_stream.hpp"
#include "actors/runtime/net/link_acceptor.hpp"
#include "actors/runtime/net/link_dialler.hpp"
#include "actors/runtime/net/places.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <memory>

namespace troupe {

using upgrade_request = boost::beast::http::request<boost::beast::http::string_body>;

/// Makes a link of a connection that the HTTP server has read an upgrade from. `place` is told when it is one, and
/// dropped when it ends.
std::shared_ptr<link_attempt> accept_link(byte_stream stream, const peer_address& peer, upgrade_request request,
                                          const link_acceptor& acceptor, std::shared_ptr<connection_place> place);

}  // namespace troupe

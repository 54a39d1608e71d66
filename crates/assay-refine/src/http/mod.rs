//! HTTP responses as archives store them: a WARC block to status, fields and the decoded body.
//!
//! `response` splits the block, `body` undoes the transfer and content encodings (`chunked`, `codings`) within budgets.

mod body;
mod chunked;
mod codings;
mod response;

pub use body::{BodyError, decoded_body};
pub use response::{HttpError, HttpResponse, parse_response};

//! Bounds that server and client share.

/// Longest body of a request, bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Most rows of a page.
pub const PAGE_ROWS_MAX: u32 = 500;
/// Rows of a page that asks for none.
pub const PAGE_ROWS_DEFAULT: u32 = 100;

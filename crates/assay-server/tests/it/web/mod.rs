//! The website over a filled store and over an empty one: pages, formats, headers, escaping, a real browser.

mod browser;
mod evidence;
mod fill;
mod manifests;
mod pages;
mod site;
mod takedown;

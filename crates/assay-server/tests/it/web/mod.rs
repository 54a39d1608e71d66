//! The website over a filled store and over an empty one: pages, formats, headers, escaping, a real browser.

mod browser;
mod cards;
mod evidence;
mod figures;
mod files;
mod fill;
mod fresh;
mod history;
mod manifests;
mod pages;
mod shown;
mod site;
mod starting;
mod takedown;

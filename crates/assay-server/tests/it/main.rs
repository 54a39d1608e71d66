//! The Task API over real databases, an embedded chain, and real connections.

#![cfg(test)]

mod admin;
mod auth;
mod closed;
mod connections;
mod contest;
mod corpora;
mod database;
mod duels;
mod follow;
mod leases;
mod limits;
mod lying;
mod observe;
mod openapi;
mod pages_of_lists;
mod postgres;
mod proofs;
mod replay;
mod requeue;
mod rounds;
mod samples;
mod unread;
mod web;
mod world;

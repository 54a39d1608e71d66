//! The Task API over real databases, an embedded chain, and real connections.

#![cfg(test)]

mod auth;
mod connections;
mod database;
mod duels;
mod leases;
mod lying;
mod openapi;
mod postgres;
mod requeue;
mod rounds;
mod unread;
mod web;
mod world;

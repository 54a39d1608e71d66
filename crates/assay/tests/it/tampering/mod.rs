//! Each class of tampering, sealed again as a cheater would: `verify` exits 4, names the class, and proves it.

mod check;
mod decisions;
mod diary;
mod files;
mod forge;
mod merged;
mod rows;

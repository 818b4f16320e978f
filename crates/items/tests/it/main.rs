//! Files as they come: in pieces of any size, left off and gone on with behind any item, and made to do harm.

mod hostile;
mod manifests;
mod pieces;
mod world;

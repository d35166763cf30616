//! Frames, the pool they come from, waiting for one, and where their memory lives.

//! Graphs imported, compared with what they should become.

mod compiled;
mod graphs;
mod hostile;
mod onnx;
mod quantised;
mod samples;

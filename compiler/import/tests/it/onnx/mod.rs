//! ONNX models imported.

mod build;
mod diagnostics;
mod hostile;
mod models;
mod networks;

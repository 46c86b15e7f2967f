//! Files, tensors and external data.

mod external;
mod hostile;
mod tensors;

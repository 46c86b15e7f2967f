//! SIMD kernels with run-time dispatch; each equals plain scalar code to the bit.

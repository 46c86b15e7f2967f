//! 64 look-ups at once: AVX-512 VBMI, which machines of the AVX-512 tier may lack.

use std::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_mask_storeu_epi8, _mm512_maskz_loadu_epi8,
    _mm512_movepi8_mask, _mm512_permutex2var_epi8, _mm512_storeu_si512,
};

const BYTES: usize = 64;

/// Whether the machine has what [`replace`] needs.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Replaces each byte by that of the table.
///
/// # Panics
/// If the machine cannot.
pub(super) fn replace(table: &[u8; 256], bytes: &mut [u8]) {
    assert!(is_available(), "AVX-512 VBMI");
    // SAFETY: the machine has the features.
    unsafe { replace_vbmi(table, bytes) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn replace_vbmi(table: &[u8; 256], bytes: &mut [u8]) {
    let (quarters, _) = table.as_chunks::<BYTES>();
    // SAFETY: a reference to 64 bytes is readable.
    let quarter = |index: usize| unsafe { _mm512_loadu_si512(quarters[index].as_ptr().cast()) };
    let table = [quarter(0), quarter(1), quarter(2), quarter(3)];
    let (vectors, rest) = bytes.as_chunks_mut::<BYTES>();
    for vector in vectors {
        // SAFETY: an exclusive reference to 64 bytes is readable and writable.
        unsafe {
            let found = look_up(table, _mm512_loadu_si512(vector.as_ptr().cast()));
            _mm512_storeu_si512(vector.as_mut_ptr().cast(), found);
        }
    }
    let mask = (1u64 << rest.len()) - 1;
    // SAFETY: the mask selects the bytes of the slice.
    unsafe {
        let found = look_up(table, _mm512_maskz_loadu_epi8(mask, rest.as_ptr().cast()));
        _mm512_mask_storeu_epi8(rest.as_mut_ptr().cast(), mask, found);
    }
}

/// The instruction chooses among 128 bytes by the lower seven bits; the highest bit chooses between two halves.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn look_up([a, b, c, d]: [__m512i; 4], index: __m512i) -> __m512i {
    let low = _mm512_permutex2var_epi8(a, index, b);
    let high = _mm512_permutex2var_epi8(c, index, d);
    _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high)
}

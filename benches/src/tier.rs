//! Tiers by name.

use dpuc_kernels::simd::{Kernels, Tier};

/// The kernels of the tier of this name (`scalar`, `portable`, `avx2`, `avxvnni`, `avx512vnni`).
///
/// # Errors
/// There is no such tier, or the machine does not have it.
pub fn kernels_of(name: &str) -> Result<Kernels, String> {
    let names = Tier::ALL.map(|tier| (format!("{tier:?}").to_ascii_lowercase(), tier));
    let known = names.iter().find(|(own, _)| own == name);
    let Some((_, tier)) = known else {
        let names = names.map(|(own, _)| own).join(", ");
        return Err(format!("there is no tier {name:?}; the tiers are {names}"));
    };
    Kernels::new(*tier).ok_or_else(|| format!("the machine does not have the tier {name}"))
}

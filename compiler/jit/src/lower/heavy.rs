//! Operators with packed kernels.

use super::Lowering;
use crate::error::Error;
use crate::kernel::Kernel;
use crate::network::Operation;

impl Lowering<'_> {
    /// The packed kernel of an operation, if it has one.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "packed kernels arrive with the next step")]
    pub(super) fn packed(&self, _: &Operation) -> Result<Option<Box<dyn Kernel>>, Error> {
        Ok(None)
    }
}

//! Shares work between the threads of the current `rayon` pool.

use std::ops::Range;

use rayon::prelude::*;

/// Elementary operations (products, copied elements, …) below which a task is not worth its start.
const LEAST_WORK: usize = 1 << 17;

/// Tasks per thread: several, so that threads that started late or run slowly get fewer.
const TASKS_PER_THREAD: usize = 4;

/// Calls `task` with ranges of rows that cover the output and with their elements; `work` is that of all rows together.
///
/// The output has whole rows of `row` elements. The split depends on the number of threads, so a task must compute each row
/// independently of the others.
pub(crate) fn split_rows<T: Send>(
    output: &mut [T],
    row: usize,
    work: usize,
    task: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let rows = output.len() / row.max(1);
    let most = (work / LEAST_WORK).min(rows);
    let threads = if most > 1 { rayon::current_num_threads() } else { 1 };
    if threads == 1 {
        task(0..rows, output);
        return;
    }
    let tasks = most.min(TASKS_PER_THREAD * threads);
    let per_task = rows.div_ceil(tasks);
    output.par_chunks_mut(per_task * row).enumerate().for_each(|(index, output)| {
        let first = index * per_task;
        task(first..first + output.len() / row, output);
    });
}

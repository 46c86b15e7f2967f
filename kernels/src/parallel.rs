//! Shares work between the threads of the current `rayon` pool.

use std::ops::Range;

use rayon::prelude::*;

/// Elementary operations (products, copied elements, …) below which a task is not worth its start.
pub(crate) const LEAST_WORK: usize = 1 << 17;

/// Tasks per thread: several, so that threads that started late or run slowly get fewer.
const TASKS_PER_THREAD: usize = 4;

/// Number of tasks for at most `parts` parts of some work.
fn tasks(work: usize, parts: usize) -> usize {
    let most = (work / LEAST_WORK).min(parts);
    let threads = if most > 1 { rayon::current_num_threads() } else { 1 };
    if threads == 1 { 1 } else { most.min(TASKS_PER_THREAD * threads) }
}

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
    let tasks = tasks(work, rows);
    if tasks <= 1 {
        task(0..rows, output);
        return;
    }
    let per_task = rows.div_ceil(tasks);
    output.par_chunks_mut(per_task * row).enumerate().for_each(|(index, output)| {
        let first = index * per_task;
        task(first..first + output.len() / row, output);
    });
}

/// Calls `task` with ranges that cover the output and begin at multiples of `unit`, and with their elements; `work` is that of all
/// together. As in [`split_rows`], each unit must be computed independently of the others.
pub(crate) fn split_units<T: Send>(
    output: &mut [T],
    unit: usize,
    work: usize,
    task: impl Fn(Range<usize>, &mut [T]) + Sync,
) {
    let units = output.len().div_ceil(unit);
    let tasks = tasks(work, units);
    if tasks <= 1 {
        task(0..output.len(), output);
        return;
    }
    let per_task = units.div_ceil(tasks) * unit;
    output.par_chunks_mut(per_task).enumerate().for_each(|(index, output)| {
        let first = index * per_task;
        task(first..first + output.len(), output);
    });
}

//! Which nests are computed inside their readers.

use cranelift_codegen::entity::SecondaryMap;

use crate::loops::{Buffer, Nest, Place, inline, row_major};
use crate::program::{Program, Step};

/// Moves every producer into its readers where nothing is computed twice: a producer with one reader, or a mere movement of elements with
/// any number. Drops nests that nobody reads, and brings the rest into their simplest form.
pub(crate) fn fuse(program: &mut Program) {
    let mut readers: SecondaryMap<Buffer, Vec<usize>> = SecondaryMap::new();
    let mut writers: SecondaryMap<Buffer, usize> = SecondaryMap::new();
    for (index, step) in program.steps.iter().enumerate() {
        for buffer in step.reads() {
            if readers[buffer].last() != Some(&index) {
                readers[buffer].push(index);
            }
        }
        step.writes().for_each(|buffer| writers[buffer] += 1);
    }
    let mut steps: Vec<Option<Step>> = std::mem::take(&mut program.steps).into_iter().map(Some).collect();
    for index in 0..steps.len() {
        let Some(Step::Nest(producer)) = &steps[index] else { continue };
        let buffer = producer.store.buffer;
        if program.buffers[buffer].place != Place::Arena {
            continue;
        }
        if readers[buffer].is_empty() {
            producer.loads.iter().for_each(|load| readers[load.buffer].retain(|&reader| reader != index));
            steps[index] = None;
            continue;
        }
        let is_whole = writers[buffer] == 1
            && producer.points() == program.buffers[buffer].elements
            && producer.parallel == producer.extents.len()
            && producer.store.offset == 0
            && producer.store.strides == row_major(&producer.extents);
        if !is_whole {
            continue;
        }
        let Some(fused) = fused(producer, &steps, &readers[buffer]) else { continue };
        let sources: Vec<Buffer> = producer.loads.iter().map(|load| load.buffer).collect();
        let consumers = std::mem::take(&mut readers[buffer]);
        for source in sources {
            readers[source].retain(|&reader| reader != index && !consumers.contains(&reader));
            readers[source].extend(&consumers);
            readers[source].sort_unstable();
            readers[source].dedup();
        }
        for (consumer, nest) in consumers.into_iter().zip(fused) {
            steps[consumer] = Some(Step::Nest(Box::new(nest)));
        }
        steps[index] = None;
    }
    program.steps = steps.into_iter().flatten().collect();
    for step in &mut program.steps {
        if let Step::Nest(nest) = step {
            nest.simplify();
        }
    }
}

/// The readers of a producer with its computation in them; `None` if one cannot take it or would compute elements twice.
fn fused(producer: &Nest, steps: &[Option<Step>], readers: &[usize]) -> Option<Vec<Nest>> {
    let buffer = producer.store.buffer;
    if !producer.is_copy() && readers.len() != 1 {
        return None;
    }
    let fuse_into = |&reader: &usize| {
        let Some(Step::Nest(consumer)) = &steps[reader] else { return None };
        let loads = consumer.loads.iter().filter(|access| access.buffer == buffer);
        if !producer.is_copy() && (loads.count() != 1 || consumer.points() * consumer.folded() > producer.points()) {
            return None;
        }
        let mut fused = (**consumer).clone();
        inline(producer, &mut fused).then(|| {
            fused.label = format!("{} + {}", producer.label, fused.label);
            fused
        })
    };
    readers.iter().map(fuse_into).collect()
}

//! Boxes in rows, arrows between them: a layered drawing of an acyclic graph. Rows by longest path, orders by barycentres, places by
//! averaging; arrows that cross rows bend through places of their own.

/// Sweeps over the rows.
const SWEEPS: usize = 12;
/// Width that an arrow takes where it crosses a row.
const LANE: f64 = 24.0;
/// Rows that an arrow bends through at most; longer ones go straight.
const BENDS_MAX: usize = 60;
/// Space between neighbours in a row.
const GAP: f64 = 34.0;

/// Where everything is; coordinates across the rows, from 0.
#[derive(Debug)]
pub(crate) struct Layout {
    /// By box: its row.
    pub(crate) rows: Vec<usize>,
    /// By box: its middle.
    pub(crate) middles: Vec<f64>,
    /// By arrow: where it is in the rows it crosses, from that of its start to that of its end. An arrow that goes straight has two places.
    pub(crate) paths: Vec<Vec<f64>>,
    /// Width of the drawing.
    pub(crate) width: f64,
}

struct Place {
    row: usize,
    width: f64,
    middle: f64,
    above: Vec<usize>,
    below: Vec<usize>,
}

/// Places boxes of these widths; arrows lead from a box to a later one.
pub(crate) fn layout(widths: &[f64], arrows: &[(usize, usize)]) -> Layout {
    let rows = rows(widths.len(), arrows);
    let mut places: Vec<Place> = widths
        .iter()
        .zip(&rows)
        .map(|(&width, &row)| Place { row, width: width + GAP, middle: 0.0, above: Vec::new(), below: Vec::new() })
        .collect();
    let paths: Vec<Vec<usize>> = arrows.iter().map(|&(from, to)| path(&mut places, from, to)).collect();
    let mut order: Vec<Vec<usize>> = vec![Vec::new(); rows.iter().max().map_or(0, |&last| last + 1)];
    for (number, place) in places.iter().enumerate() {
        order[place.row].push(number);
    }
    arrange(&mut places, &mut order);
    let left = places.iter().map(|place| place.middle - place.width / 2.0).fold(f64::INFINITY, f64::min);
    let right = places.iter().map(|place| place.middle + place.width / 2.0).fold(0.0, f64::max);
    let shift = if left.is_finite() { left } else { 0.0 };
    let middles: Vec<f64> = places.iter().map(|place| place.middle - shift).collect();
    Layout {
        paths: paths.into_iter().map(|path| path.into_iter().map(|place| middles[place]).collect()).collect(),
        middles: middles[..widths.len()].to_vec(),
        rows,
        width: right - shift,
    }
}

/// The row of each box: one below the lowest it reads; what reads nothing stands right above its first reader.
fn rows(count: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut rows = vec![0; count];
    let mut by_target = arrows.to_vec();
    by_target.sort_by_key(|&(_, to)| to);
    for &(from, to) in &by_target {
        rows[to] = rows[to].max(rows[from] + 1);
    }
    let mut highest_reader = vec![usize::MAX; count];
    for &(from, to) in arrows {
        highest_reader[from] = highest_reader[from].min(rows[to]);
    }
    for number in 0..count {
        let reads = arrows.iter().any(|&(_, to)| to == number);
        if !reads && highest_reader[number] != usize::MAX {
            rows[number] = highest_reader[number].saturating_sub(1);
        }
    }
    rows
}

/// The places of an arrow: its ends, and one in each row between them.
fn path(places: &mut Vec<Place>, from: usize, to: usize) -> Vec<usize> {
    let mut path = vec![from];
    let between = places[from].row + 1..places[to].row;
    if between.len() <= BENDS_MAX {
        for row in between {
            path.push(places.len());
            places.push(Place { row, width: LANE, middle: 0.0, above: Vec::new(), below: Vec::new() });
        }
    }
    path.push(to);
    for pair in path.windows(2) {
        places[pair[0]].below.push(pair[1]);
        places[pair[1]].above.push(pair[0]);
    }
    path
}

fn arrange(places: &mut [Place], order: &mut [Vec<usize>]) {
    for row in order.iter() {
        settle(places, row, &vec![0.0; row.len()]);
    }
    for sweep in 0..SWEEPS {
        let is_down = sweep % 2 == 0;
        for step in 0..order.len() {
            let row = if is_down { step } else { order.len() - 1 - step };
            let wish = |place: &usize| {
                let place = &places[*place];
                let (first, second) = if is_down { (&place.above, &place.below) } else { (&place.below, &place.above) };
                mean(places, first).or_else(|| mean(places, second)).unwrap_or(place.middle)
            };
            let mut wishes: Vec<(usize, f64)> = order[row].iter().map(|place| (*place, wish(place))).collect();
            // The last sweeps keep the order, so that places settle.
            if sweep + 2 < SWEEPS {
                wishes.sort_by(|a, b| a.1.total_cmp(&b.1));
            }
            order[row] = wishes.iter().map(|&(place, _)| place).collect();
            settle(places, &order[row], &wishes.iter().map(|&(_, wish)| wish).collect::<Vec<_>>());
        }
    }
}

fn mean(places: &[Place], of: &[usize]) -> Option<f64> {
    (!of.is_empty()).then(|| of.iter().map(|&place| places[place].middle).sum::<f64>() / of.len() as f64)
}

/// Puts the places of a row where they wish to be, in order and without overlap, with the least sum of squares: neighbours that would
/// overlap become a block that is where its members wish on average.
fn settle(places: &mut [Place], row: &[usize], wishes: &[f64]) {
    struct Block {
        sum: f64,
        members: Vec<(usize, f64)>,
    }
    impl Block {
        fn at(&self) -> f64 {
            self.sum / self.members.len() as f64
        }
    }
    let mut offset = 0.0;
    let mut blocks: Vec<Block> = Vec::new();
    for (&place, wish) in row.iter().zip(wishes) {
        let middle = offset + places[place].width / 2.0;
        offset += places[place].width;
        let mut block = Block { sum: wish - middle, members: vec![(place, middle)] };
        while let Some(before) = blocks.pop_if(|before| before.at() > block.at()) {
            let members = before.members.into_iter().chain(block.members).collect();
            block = Block { sum: before.sum + block.sum, members };
        }
        blocks.push(block);
    }
    for block in &blocks {
        for &(place, middle) in &block.members {
            places[place].middle = middle + block.at();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_longest_path_and_boxes_do_not_overlap() {
        // 0 → 1 → 3, 0 → 2 → 3, 0 → 3, and 4, which only 3 reads.
        let widths = [100.0, 80.0, 300.0, 50.0, 60.0];
        let drawn = layout(&widths, &[(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (4, 3)]);
        assert_eq!(drawn.rows, [0, 1, 1, 2, 1]);
        assert_eq!(drawn.paths[4].len(), 3);
        let span = |number: usize| {
            (drawn.middles[number] - widths[number] / 2.0, drawn.middles[number] + widths[number] / 2.0)
        };
        for (a, b) in [(1, 2), (1, 4), (2, 4)] {
            let (a, b) = (span(a), span(b));
            assert!(a.1 <= b.0 || b.1 <= a.0, "{a:?} {b:?}");
        }
        for number in 0..widths.len() {
            assert!(span(number).0 >= 0.0 && span(number).1 <= drawn.width);
        }
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let drawn = layout(&[], &[]);
        assert!(drawn.width.abs() < 1e-9 && drawn.rows.is_empty());
    }
}

//! From records to a position.

use super::Record;
use crate::options::Statistic;
use crate::position::{least_error, mode, non_overflow};

/// The position of a tensor; that of an image or another input never saturates (`spec/quantisation.md` section 6.2).
pub(crate) fn choose(records: &[&Record], is_argument: bool, statistic: Statistic, saturation_weight: f64) -> i32 {
    let of_batch = |batch: &[&Record]| {
        let least = batch.iter().map(|record| record.least).fold(0.0, f32::min);
        let most = batch.iter().map(|record| record.most).fold(0.0, f32::max);
        let finest = non_overflow(least, most);
        if is_argument {
            return finest;
        }
        least_error(finest, |position| {
            let errors = batch.iter().map(|record| record.error(position));
            errors.map(|error| error.total + (saturation_weight - 1.0) * error.saturated).sum()
        })
    };
    match statistic {
        Statistic::AllData => of_batch(records),
        Statistic::Modal { batch } => {
            let positions: Vec<i32> = records.chunks(batch.max(1)).map(of_batch).collect();
            mode(&positions).unwrap_or(crate::position::HIGHEST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(tensors: &[&[f32]], is_argument: bool, statistic: Statistic) -> i32 {
        let records: Vec<Record> = tensors.iter().map(|elements| Record::of(elements).unwrap()).collect();
        choose(&records.iter().collect::<Vec<_>>(), is_argument, statistic, 1.0)
    }

    #[test]
    fn records_of_parts_say_what_the_whole_says() {
        let small: Vec<f32> = (0..1000).map(|i| (i % 71) as f32 / 71.0).collect();
        let mut large: Vec<f32> = small.iter().map(|value| value * 7.7).collect();
        large[3] = 9.0;
        let whole: Vec<f32> = small.iter().chain(&large).copied().collect();
        let parts = choice(&[&small, &large], false, Statistic::AllData);
        assert_eq!(parts, choice(&[&whole], false, Statistic::AllData));
        assert_eq!(parts, crate::position::of_constant(&whole));
    }

    #[test]
    fn coarse_positions_of_a_quiet_sample_cost_its_energy() {
        let quiet = Record::of(&[0.001, -0.002]).unwrap();
        for position in -16..1 {
            let expected = crate::position::squared_error(&[0.001, -0.002], position);
            assert!((quiet.error(position).total - expected.total).abs() < 1e-12, "{position}");
        }
    }

    #[test]
    fn the_mode_ignores_a_rare_batch_and_arguments_never_saturate() {
        let usual: Vec<f32> = (0..500).map(|i| (i % 50) as f32 / 50.0).collect();
        let rare: Vec<f32> = usual.iter().map(|value| value * 40.0).collect();
        let data: [&[f32]; 4] = [&usual, &usual, &rare, &usual];
        assert_eq!(choice(&data, false, Statistic::Modal { batch: 1 }), 7);
        assert_eq!(choice(&data, false, Statistic::AllData), 1);
        assert_eq!(choice(&data, true, Statistic::AllData), 1);
        assert_eq!(choice(&data, false, Statistic::Modal { batch: 4 }), 1);
    }

    #[test]
    fn weight_on_saturation_prefers_coarser_positions() {
        let mut elements: Vec<f32> = (0..4000).map(|i| (i % 97) as f32 / 97.0).collect();
        elements.push(1.1);
        let record = Record::of(&elements).unwrap();
        assert_eq!(choose(&[&record], false, Statistic::AllData, 1.0), 7);
        assert_eq!(choose(&[&record], false, Statistic::AllData, 1000.0), 6);
    }
}

//! Medians and quartiles.

use serde::Serialize;

/// Where the middle half of some figures lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// A quarter of them is below.
    pub q1: f64,
    /// Half of them is below.
    pub median: f64,
    /// A quarter of them is above.
    pub q3: f64,
}

impl Spread {
    /// The spread of `figures`; `None` if there are none.
    #[must_use]
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            q1: quantile(&sorted, 0.25)?,
            median: quantile(&sorted, 0.5)?,
            q3: quantile(&sorted, 0.75)?,
        })
    }

    /// The spread of what `of` gives for each pair from the same round.
    #[must_use]
    pub fn paired(left: &[f64], right: &[f64], of: impl Fn(f64, f64) -> f64) -> Option<Self> {
        Self::of(left.iter().zip(right).map(|(left, right)| of(*left, *right)))
    }
}

/// The value below which a share of `sorted` lies, between two figures where it falls between them.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share * last as f64;
    let (below, above) = (place.floor(), place.ceil());
    // Both are within the slice, since the share is at most 1.
    let (low, high) = (sorted.get(below as usize)?, sorted.get(above as usize)?);
    Some(low + (high - low) * (place - below))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_figures() {
        for (figures, q1, median, q3) in [
            (vec![7.0], 7.0, 7.0, 7.0),
            (vec![2.0, 1.0], 1.25, 1.5, 1.75),
            (vec![5.0, 1.0, 3.0, 2.0, 4.0], 2.0, 3.0, 4.0),
            (vec![4.0, 1.0, 3.0, 2.0], 1.75, 2.5, 3.25),
            (vec![-1.0, 1000.0, 0.0], -0.5, 0.0, 500.0),
        ] {
            assert_eq!(Spread::of(figures.clone()), Some(Spread { q1, median, q3 }), "{figures:?}");
        }
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn pairs_are_of_the_same_round() {
        let spread = Spread::paired(&[30.0, 50.0, 20.0], &[20.0, 40.0, 10.0], |left, right| left - right);
        assert_eq!(spread, Some(Spread { q1: 10.0, median: 10.0, q3: 10.0 }));
    }
}

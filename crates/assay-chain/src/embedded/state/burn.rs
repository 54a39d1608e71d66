//! The price of a registration: it rises with each one and halves in so many blocks.
//!
//! `Burn` comes in and leaves, rao. Rule: each block `price·f >> 32`, f the largest of 32 fraction bits with
//! `f^half_life ≤ 1/2`, powers by squaring with truncation; each registration times `BurnIncreaseMult`; then the bounds
//! (docs/embedded-chain.md; opentensor/subtensor 14bc6f9).

use super::Subnet;

/// One, of 32 fraction bits.
const ONE: u64 = 1 << 32;
/// `BurnHalfLife` of a new subnet, and its f, which a test computes.
const USUAL: (u16, u64) = (360, 4_286_705_684);

impl Subnet {
    /// One block passes.
    pub(super) fn decay_burn(&mut self) {
        let factor = match self.params.burn_half_life {
            blocks if blocks == USUAL.0 => USUAL.1,
            blocks => decay_factor(blocks),
        };
        let price = (u128::from(self.burn) * u128::from(factor)) >> 32;
        self.burn = self.held(price);
    }

    /// Somebody registered.
    pub(super) fn raise_burn(&mut self) {
        let price = u128::from(self.burn) * u128::from(self.params.burn_increase_milli) / 1_000;
        self.burn = self.held(price);
    }

    fn held(&self, price: u128) -> u64 {
        let (least, most) = (self.params.burn_min.0, self.params.burn_max.0);
        u64::try_from(price).unwrap_or(u64::MAX).max(least).min(most)
    }
}

/// The largest f with `f^half_life ≤ 1/2`; a half-life of 0, which only root can set, lets nothing fall.
fn decay_factor(half_life: u16) -> u64 {
    if half_life == 0 {
        return ONE;
    }
    let (mut low, mut high) = (0, ONE);
    while low + 1 < high {
        let middle = u64::midpoint(low, high);
        if power(middle, half_life) <= ONE / 2 {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// `base^exponent`, both numbers of 32 fraction bits and at most one.
fn power(base: u64, mut exponent: u16) -> u64 {
    let times = |a: u64, b: u64| u64::try_from((u128::from(a) * u128::from(b)) >> 32).unwrap_or(ONE);
    let (mut result, mut square) = (ONE, base);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = times(result, square);
        }
        square = times(square, square);
        exponent >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_types::NetUid;

    #[test]
    fn the_price_halves_in_360_blocks() {
        assert_eq!(decay_factor(USUAL.0), USUAL.1);
        let mut subnet = Subnet::new(NetUid(1), 0);
        for _ in 0..USUAL.0 {
            subnet.decay_burn();
        }
        assert_eq!(subnet.burn, 499_999_865);
    }

    #[test]
    fn the_owner_may_choose_how_fast_it_falls_and_rises() {
        for half_life in [1, 7, 3_600, 36_100] {
            let mut subnet = Subnet::new(NetUid(1), 0);
            subnet.params.burn_half_life = half_life;
            for _ in 0..half_life {
                subnet.decay_burn();
            }
            // Each block cuts off less than a rao, and f less than 2^-32.
            let least = 500_000_000 - u64::from(half_life) * 2;
            assert!(
                (least..=500_000_000).contains(&subnet.burn),
                "{half_life}: {}",
                subnet.burn
            );
        }
        let mut subnet = Subnet::new(NetUid(1), 0);
        subnet.params.burn_half_life = 0;
        subnet.decay_burn();
        assert_eq!(subnet.burn, 1_000_000_000);
        subnet.params.burn_increase_milli = 2_500;
        subnet.raise_burn();
        assert_eq!(subnet.burn, 2_500_000_000);
    }

    #[test]
    fn a_registration_raises_the_price_and_bounds_hold_it() {
        let mut subnet = Subnet::new(NetUid(1), 0);
        subnet.raise_burn();
        assert_eq!(subnet.burn, 1_260_000_000);
        for _ in 0..40 {
            subnet.raise_burn();
        }
        assert_eq!(subnet.burn, 100_000_000_000);
        for _ in 0..10_000 {
            subnet.decay_burn();
        }
        assert_eq!(subnet.burn, 500_000);
    }
}

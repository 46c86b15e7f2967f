//! Where the elements of a resized axis lie on the input, and how those around them are weighted: in single precision.

/// Where output element `o` of an axis lies on the input, with `scale = in / out` or, if a factor is stated, the division by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coordinates {
    /// `o * scale`
    Asymmetric,
    /// `o * (in - 1) / (out - 1)`: the centres of the corner elements coincide. An output of size 1 is element 0.
    AlignCorners,
    /// `(o + 1/2) * scale - 1/2`: the outer edges coincide.
    HalfPixel,
    /// The same, but 0 if the output has one element.
    PytorchHalfPixel,
    /// The same, moved by `in / 2 * (1 - out / (factor * in))`: the middles coincide although the factor is not that of the sizes.
    HalfPixelSymmetric,
}

impl Coordinates {
    /// The coordinates called `name` in the `nn` dialect.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "asymmetric" => Self::Asymmetric,
            "align_corners" => Self::AlignCorners,
            "half_pixel" => Self::HalfPixel,
            "pytorch_half_pixel" => Self::PytorchHalfPixel,
            "half_pixel_symmetric" => Self::HalfPixelSymmetric,
            _ => return None,
        })
    }

    /// The rounding to the nearest element that quantised operators have (numerics.md 5.7).
    pub const fn rounding(self) -> Rounding {
        match self {
            Self::Asymmetric => Rounding::Floor,
            _ => Rounding::RoundPreferCeil,
        }
    }

    /// The source of each output element, as quantised operators choose it.
    pub(crate) fn nearest(self, input: usize, output: usize) -> Vec<usize> {
        Axis { input, output, coordinates: self, factor: None }.nearest(self.rounding())
    }

    /// Between which elements each output element lies.
    pub(crate) fn linear(self, input: usize, output: usize) -> Vec<Between> {
        Axis { input, output, coordinates: self, factor: None }.linear()
    }
}

/// Which element is the nearest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// The one before.
    Floor,
    /// The one behind.
    Ceil,
    /// The nearest, of two the one before.
    RoundPreferFloor,
    /// The nearest, of two the one behind.
    RoundPreferCeil,
}

impl Rounding {
    /// The rounding called `name` in the `nn` dialect.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "floor" => Self::Floor,
            "ceil" => Self::Ceil,
            "round_prefer_floor" => Self::RoundPreferFloor,
            "round_prefer_ceil" => Self::RoundPreferCeil,
            _ => return None,
        })
    }

    fn apply(self, position: f32) -> f32 {
        match self {
            Self::Floor => position.floor(),
            Self::RoundPreferFloor if position - position.floor() <= 0.5 => position.floor(),
            Self::Ceil | Self::RoundPreferFloor => position.ceil(),
            Self::RoundPreferCeil => position.round(),
        }
    }
}

/// One axis of a resize. Sizes are at least 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    /// Elements of the input.
    pub input: usize,
    /// Elements of the output.
    pub output: usize,
    /// Where they lie.
    pub coordinates: Coordinates,
    /// What positions are divided by. Without one, they are multiplied by `in / out` (numerics.md 5.7), which rounds differently unless
    /// the ratio is a power of two.
    pub factor: Option<f32>,
}

impl Axis {
    /// Position of output element `o` on the input. With a factor, in the order of operations of ONNX Runtime, one of them in double
    /// precision.
    fn position(&self, o: usize) -> f32 {
        let (place, input, output) = (o as f32, self.input as f32, self.output as f32);
        let reduced = |place: f32| match self.factor {
            Some(factor) => place / factor,
            None => place * (input / output),
        };
        match (self.coordinates, self.factor) {
            (_, Some(1.0)) => place,
            (Coordinates::Asymmetric, _) => reduced(place),
            (Coordinates::AlignCorners | Coordinates::PytorchHalfPixel, _) if self.output == 1 => 0.0,
            (Coordinates::AlignCorners, Some(_)) => place * (input - 1.0) / (output - 1.0),
            (Coordinates::AlignCorners, None) => place * ((input - 1.0) / (output - 1.0)),
            (Coordinates::HalfPixelSymmetric, Some(factor)) => {
                let offset = input / 2.0 * (1.0 - output / (factor * input));
                (f64::from(offset) + (f64::from(place) + 0.5) / f64::from(factor) - 0.5) as f32
            }
            _ => reduced(place + 0.5) - 0.5,
        }
    }

    /// Where the output elements lie on the input.
    pub fn positions(&self) -> impl Iterator<Item = f32> {
        (0..self.output).map(|o| self.position(o))
    }

    /// A whole position, moved into the input.
    fn bounded(&self, position: f32) -> usize {
        // Casts saturate at 0 for what is in front of the first element.
        (position as usize).min(self.input - 1)
    }

    /// The source of each output element.
    pub fn nearest(&self, rounding: Rounding) -> Vec<usize> {
        self.positions().map(|position| self.bounded(rounding.apply(position))).collect()
    }

    /// Between which elements each output element lies.
    pub fn linear(&self) -> Vec<Between> {
        let between = |position: f32| Between {
            low: self.bounded(position.floor()),
            high: self.bounded(position.ceil()),
            weight: position - position.floor(),
        };
        self.positions().map(between).collect()
    }

    /// The weights of the four elements around each output element.
    pub fn cubic(&self, cubic: Cubic) -> Vec<Taps> {
        let taps = |position: f32| {
            let first = position.floor() - 1.0;
            let places = [0.0, 1.0, 2.0, 3.0].map(|step| first + step);
            let mut weights = cubic.weights(position - position.floor());
            if cubic.exclude_outside {
                let is_inside = |place: f32| place >= 0.0 && place < self.input as f32;
                let inside = [0, 1, 2, 3].map(|tap| if is_inside(places[tap]) { weights[tap] } else { 0.0 });
                let sum: f32 = inside.iter().sum();
                // A point outside of which no element is near keeps those at the edge.
                if sum != 0.0 {
                    weights = inside.map(|weight| weight / sum);
                }
            }
            Taps { places: places.map(|place| self.bounded(place)), weights }
        };
        self.positions().map(taps).collect()
    }
}

/// How pixels between those of the input are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Interpolation {
    /// The nearest pixel.
    Nearest(Rounding),
    /// `low + (high - low) * weight`, along the width, then along the height.
    Bilinear,
    /// Weighted sums of four pixels, along the width, then along the height.
    Cubic(Cubic),
}

/// A resize of real maps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampling {
    /// How pixels are made.
    pub interpolation: Interpolation,
    /// Where they lie.
    pub coordinates: Coordinates,
    /// What positions are divided by, `[h, w]`; see [`Axis::factor`].
    pub factors: Option<[f32; 2]>,
}

impl Sampling {
    /// Rows and columns of a resize from one size to another, both `[h, w]`.
    pub fn axes(&self, input: [usize; 2], output: [usize; 2]) -> [Axis; 2] {
        [0, 1].map(|axis| Axis {
            input: input[axis],
            output: output[axis],
            coordinates: self.coordinates,
            factor: self.factors.map(|factors| factors[axis]),
        })
    }
}

/// A point `weight` of the way from element `low` to element `high`.
#[derive(Debug, Clone, Copy)]
pub struct Between {
    /// The element before.
    pub low: usize,
    /// The element behind.
    pub high: usize,
    /// From 0 to 1.
    pub weight: f32,
}

impl Between {
    /// `low + (high - low) * weight`
    pub fn interpolate(&self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.weight
    }
}

/// Cubic interpolation by Keys' kernel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cubic {
    /// Its coefficient, -0.5 or -0.75 as a rule.
    pub a: f32,
    /// Whether elements outside have no weight; otherwise those at the edge are repeated.
    pub exclude_outside: bool,
}

impl Cubic {
    /// The weights of the four elements around a point that lies `s` behind the second one.
    fn weights(self, s: f32) -> [f32; 4] {
        let a = self.a;
        let inner = |x: f32| ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
        let outer = |x: f32| ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a;
        [outer(s + 1.0), inner(s), inner(1.0 - s), outer(2.0 - s)]
    }
}

/// Elements and their weights.
#[derive(Debug, Clone, Copy)]
pub struct Taps {
    /// The elements.
    pub places: [usize; 4],
    /// Their weights.
    pub weights: [f32; 4],
}

impl Taps {
    /// The weighted sum, first element first.
    pub fn interpolate(&self, elements: [f32; 4]) -> f32 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|tap| elements[tap] * self.weights[tap]);
        a + b + c + d
    }
}
